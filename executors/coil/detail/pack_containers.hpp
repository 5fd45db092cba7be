// Pack<T> of what holds other values: vector, array, pair, tuple, optional, variant, and every
// container that can be filled by insert(end(), value).
#pragma once

#include <array>
#include <coil/detail/pack.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace coil::detail {

// An element that writes nothing would make the check of their number worthless.
template <class T>
void write_element(Packer& out, const T& value) {
  const std::size_t before = out.bytes().size();
  Pack<T>::write(out, value);
  if (out.bytes().size() == before) out.add("", 1);
}
template <class T>
T read_element(Unpacker& in) {
  const std::size_t before = in.left();
  T value = Pack<T>::read(in);
  if (in.left() == before) (void)in.read_plain<char>();
  return value;
}

template <class T, class A>
struct Pack<std::vector<T, A>> {
  static constexpr bool possible = Pack<T>::possible;
  static constexpr bool in_block = is_plain<T>() && !std::is_same_v<T, bool>;
  static void write(Packer& out, const std::vector<T, A>& value) {
    if constexpr (in_block) {
      out.add_block(value.data(), value.size() * sizeof(T), alignof(T));
    } else {
      out.add_plain<std::uint64_t>(value.size());
      for (const auto& element : value) write_element<T>(out, element);
    }
  }
  static std::vector<T, A> read(Unpacker& in) {
    std::vector<T, A> value;
    if constexpr (in_block) {
      const auto elements = read_elements<T>(in);
      value.assign(elements.begin(), elements.end());
    } else {
      const std::size_t count = in.read_count(1);
      value.reserve(count);
      for (std::size_t i = 0; i < count; ++i) value.push_back(read_element<T>(in));
    }
    return value;
  }
};

template <class T, std::size_t n>
  requires(!is_plain<std::array<T, n>>())
struct Pack<std::array<T, n>> {
  static constexpr bool possible = Pack<T>::possible;
  static void write(Packer& out, const std::array<T, n>& value) {
    for (const auto& element : value) Pack<T>::write(out, element);
  }
  static std::array<T, n> read(Unpacker& in) { return read_all(in, std::make_index_sequence<n>()); }

 private:
  template <std::size_t... Is>
  static std::array<T, n> read_all(Unpacker& in, std::index_sequence<Is...>) {
    return {{((void)Is, Pack<T>::read(in))...}};
  }
};

template <class A, class B>
struct Pack<std::pair<A, B>> {
  using First = std::remove_cv_t<A>;
  using Second = std::remove_cv_t<B>;
  static constexpr bool possible = Pack<First>::possible && Pack<Second>::possible;
  static void write(Packer& out, const std::pair<A, B>& value) {
    Pack<First>::write(out, value.first);
    Pack<Second>::write(out, value.second);
  }
  static std::pair<A, B> read(Unpacker& in) {
    return std::pair<A, B>{Pack<First>::read(in), Pack<Second>::read(in)};
  }
};

template <class... Ts>
struct Pack<std::tuple<Ts...>> {
  static constexpr bool possible = (Pack<std::remove_cv_t<Ts>>::possible && ...);
  static void write(Packer& out, const std::tuple<Ts...>& value) {
    std::apply([&](const auto&... v) { (Pack<std::remove_cv_t<Ts>>::write(out, v), ...); }, value);
  }
  static std::tuple<Ts...> read([[maybe_unused]] Unpacker& in) {
    return std::tuple<Ts...>{Pack<std::remove_cv_t<Ts>>::read(in)...};
  }
};

template <class T>
struct Pack<std::optional<T>> {
  static constexpr bool possible = Pack<T>::possible;
  static void write(Packer& out, const std::optional<T>& value) {
    Pack<bool>::write(out, value.has_value());
    if (value.has_value()) Pack<T>::write(out, *value);
  }
  static std::optional<T> read(Unpacker& in) {
    if (!Pack<bool>::read(in)) return std::nullopt;
    return Pack<T>::read(in);
  }
};

template <class... Ts>
struct Pack<std::variant<Ts...>> {
  using Variant = std::variant<Ts...>;
  static constexpr bool possible = (Pack<Ts>::possible && ...);
  static void write(Packer& out, const Variant& value) {
    if (value.valueless_by_exception()) throw PackError("a variant without a value");
    out.add_plain<std::uint32_t>(static_cast<std::uint32_t>(value.index()));
    std::visit([&]<class T>(const T& held) { Pack<T>::write(out, held); }, value);
  }
  static Variant read(Unpacker& in) {
    const auto index = in.read_plain<std::uint32_t>();
    if (index >= sizeof...(Ts)) throw PackError("a variant has no such alternative");
    return read_nth<0>(in, index);
  }

 private:
  template <std::size_t i>
  static Variant read_nth(Unpacker& in, std::uint32_t index) {
    if constexpr (i + 1 < sizeof...(Ts)) {
      if (index != i) return read_nth<i + 1>(in, index);
    }
    return Variant(std::in_place_index<i>, Pack<std::variant_alternative_t<i, Variant>>::read(in));
  }
};

template <class T>
concept Fillable = std::is_class_v<T> && !is_plain<T>() && std::default_initializable<T> &&
                   requires(T& t, const T& c, typename T::value_type value) {
                     { c.size() } -> std::convertible_to<std::size_t>;
                     c.begin() != c.end();
                     t.insert(t.end(), std::move(value));
                   } && !packs_itself<T>();

template <Fillable T>
struct Pack<T> {
  using Element = typename T::value_type;
  static constexpr bool possible = Pack<Element>::possible;
  static void write(Packer& out, const T& value) {
    out.add_plain<std::uint64_t>(value.size());
    for (const auto& element : value) write_element<Element>(out, element);
  }
  static T read(Unpacker& in) {
    T value;
    const std::size_t count = in.read_count(1);
    for (std::size_t i = 0; i < count; ++i) value.insert(value.end(), read_element<Element>(in));
    return value;
  }
};

}  // namespace coil::detail
