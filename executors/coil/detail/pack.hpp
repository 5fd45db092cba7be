// Pack<T>: how a value of type T becomes bytes and comes back. Here: numbers, text, and what can be
// copied byte by byte; detail/pack_containers.hpp and detail/pack_class.hpp have the rest.
//
//   possible                     whether T can go to another process at all
//   write(Packer&, const T&)     may throw what T's own code throws
//   read(Unpacker&) -> T         throws PackError for bytes that are no T
#pragma once

#include <array>
#include <coil/detail/packer.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coil::detail {

// What <coil/cereal.hpp> specialises for types that only cereal knows.
template <class T>
struct ForeignPack {
  static constexpr bool possible = false;
};

// The class's own code knows how: detail/pack_class.hpp.
template <class T>
constexpr bool packs_itself() noexcept;

// Stand for the members of an aggregate while pointers are looked for among them.
template <std::size_t>
struct AnyMember {
  template <class M>
  operator M() const noexcept;  // NOLINT(google-explicit-constructor): as a member wants it
};
template <class T>
constexpr bool is_bound_here() noexcept;
struct BoundMember {
  template <class M>
    requires(is_bound_here<M>())
  operator M() const noexcept;  // NOLINT(google-explicit-constructor): as a member wants it
};
template <class T, std::size_t... Before>
constexpr bool is_bound_behind(std::index_sequence<Before...>) noexcept {
  return requires { T{AnyMember<Before>()..., BoundMember()}; };
}
template <class T, std::size_t... At>
constexpr bool is_bound_at(std::index_sequence<At...>) noexcept {
  return (is_bound_behind<T>(std::make_index_sequence<At>()) || ...);
}

// Its bytes mean something in this process only.
template <class T>
constexpr bool is_bound_here() noexcept {
  if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T>) {
    return true;
  } else if constexpr (!std::is_class_v<T>) {
    return std::is_union_v<T>;
  } else if constexpr (std::ranges::enable_borrowed_range<T> || std::ranges::enable_view<T>) {
    return true;
  } else if constexpr (requires(T& t) { *t, ++t; }) {
    return true;  // an iterator
  } else if constexpr (requires(T& t, typename T::type& r) { r = t, t.get(); }) {
    return true;  // a reference_wrapper
  } else if constexpr (requires(T& t) { t.resume(); }) {
    return true;  // a coroutine's handle
  } else if constexpr (std::is_aggregate_v<T>) {
    constexpr std::size_t looked_at = 16;
    return is_bound_at<T>(std::make_index_sequence<looked_at>());
  } else {
    return false;
  }
}

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t n>
inline constexpr bool is_std_array<std::array<T, n>> = true;

// A copy of its bytes is a copy of it.
template <class T>
constexpr bool is_plain() noexcept {
  if constexpr (!std::is_object_v<T> || !std::is_trivially_copyable_v<T>) {
    return false;
  } else if constexpr (std::is_array_v<T>) {
    return is_plain<std::remove_extent_t<T>>();
  } else if constexpr (is_std_array<T>) {
    return is_plain<typename T::value_type>();
  } else if constexpr (std::is_class_v<T> || std::is_union_v<T>) {
    return !is_bound_here<T>() && !packs_itself<T>();
  } else {
    return !is_bound_here<T>();
  }
}

template <class T>
struct Pack : ForeignPack<T> {};

template <class T>
  requires(is_plain<T>() && !std::is_same_v<T, bool>)
struct Pack<T> {
  static constexpr bool possible = true;
  static void write(Packer& out, const T& value) { out.add_plain(value); }
  static T read(Unpacker& in) { return in.read_plain<T>(); }
};

template <>
struct Pack<bool> {
  static constexpr bool possible = true;
  static void write(Packer& out, bool value) { out.add_plain<unsigned char>(value ? 1 : 0); }
  static bool read(Unpacker& in) { return in.read_plain<unsigned char>() != 0; }
};

template <class T>
std::span<const T> read_elements(Unpacker& in) {
  const auto bytes = in.read_block(alignof(T));
  if (bytes.size() % sizeof(T) != 0) throw PackError("a part of an element is missing");
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <class C>
struct Pack<std::basic_string<C>> {
  static constexpr bool possible = true;
  static void write(Packer& out, const std::basic_string<C>& value) {
    out.add_block(value.data(), value.size() * sizeof(C), alignof(C));
  }
  static std::basic_string<C> read(Unpacker& in) {
    const auto elements = read_elements<C>(in);
    return std::basic_string<C>(elements.data(), elements.size());
  }
};

// A parameter `std::span<const T>`: the function sees the elements where they have arrived. Nothing
// else may be a view, since results and what is inside of others have to outlive the message.
template <class T>
class Elements {
 public:
  template <class U>
    requires std::is_constructible_v<std::span<const T>, U&&>
  explicit Elements(U&& all) : all_(std::forward<U>(all)) {}
  operator std::span<const T>() const noexcept {
    return all_;
  }  // NOLINT(google-explicit-constructor): stands for it

 private:
  std::span<const T> all_;
};
template <class T>
struct Pack<Elements<T>> {
  static constexpr bool possible = is_plain<T>();
  static void write(Packer& out, std::span<const T> value) {
    out.add_block(value.data(), value.size_bytes(), alignof(T));
  }
  static Elements<T> read(Unpacker& in) { return Elements<T>(read_elements<T>(in)); }
};

}  // namespace coil::detail

#include <coil/detail/pack_class.hpp>
#include <coil/detail/pack_containers.hpp>
