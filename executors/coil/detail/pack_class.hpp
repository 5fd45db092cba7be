// Pack<T> of a program's own classes, by cereal's convention:
//
//   template <class Archive> void serialize(Archive& archive) { archive(a, b, c); }
//
// or save(Archive&) const and load(Archive&); members, or functions beside the class that take it
// as second parameter. The class needs a default constructor. So what was written for cereal works
// as it is; what only cereal can do (pointers, versions, private members behind cereal::access)
// needs <coil/cereal.hpp>.
#pragma once

#include <coil/detail/pack.hpp>
#include <type_traits>
#include <utility>

namespace coil::detail {

template <class T>
void save_value(Packer& out, const T& value);
template <class T>
void load_value(Unpacker& in, T& value);

class PackArchive {
 public:
  using is_saving = std::true_type;
  using is_loading = std::false_type;

  explicit PackArchive(Packer& out) noexcept : out_(out) {}
  template <class... Ts>
  PackArchive& operator()(Ts&&... values) {
    (save_value(out_, values), ...);
    return *this;
  }
  template <class T>
  PackArchive& operator&(T&& value) {
    return (*this)(value);
  }
  template <class T>
  PackArchive& operator<<(T&& value) {
    return (*this)(value);
  }

 private:
  Packer& out_;
};

class UnpackArchive {
 public:
  using is_saving = std::false_type;
  using is_loading = std::true_type;

  explicit UnpackArchive(Unpacker& in) noexcept : in_(in) {}
  template <class... Ts>
  UnpackArchive& operator()(Ts&&... values) {
    (load_value(in_, values), ...);
    return *this;
  }
  template <class T>
  UnpackArchive& operator&(T&& value) {
    return (*this)(value);
  }
  template <class T>
  UnpackArchive& operator>>(T&& value) {
    return (*this)(value);
  }

 private:
  Unpacker& in_;
};

template <class T>
concept SerializesInside = requires(T& t, PackArchive& out) { t.serialize(out); };
template <class T>
concept SerializesBeside = requires(T& t, PackArchive& out) { serialize(out, t); };
template <class T>
concept SplitInside = requires(T& t, const T& c, PackArchive& out, UnpackArchive& in) {
  c.save(out);
  t.load(in);
};
template <class T>
concept SplitBeside = requires(T& t, const T& c, PackArchive& out, UnpackArchive& in) {
  save(out, c);
  load(in, t);
};

template <class T>
constexpr bool packs_itself() noexcept {
  if constexpr (!std::is_class_v<T>) {
    return false;
  } else {
    return SerializesInside<T> || SplitInside<T> || SerializesBeside<T> || SplitBeside<T>;
  }
}

// Its code alone decides what is written; serialize() serves both ways, so it takes no const.
template <class T>
void save_by_itself(Packer& out, const T& value) {
  PackArchive archive(out);
  if constexpr (SplitInside<T>) {
    value.save(archive);
  } else if constexpr (SerializesInside<T>) {
    const_cast<T&>(value).serialize(archive);
  } else if constexpr (SplitBeside<T>) {
    save(archive, value);
  } else {
    serialize(archive, const_cast<T&>(value));
  }
}
template <class T>
void load_by_itself(Unpacker& in, T& value) {
  UnpackArchive archive(in);
  if constexpr (SplitInside<T>) {
    value.load(archive);
  } else if constexpr (SerializesInside<T>) {
    value.serialize(archive);
  } else if constexpr (SplitBeside<T>) {
    load(archive, value);
  } else {
    serialize(archive, value);
  }
}

template <class T>
  requires(packs_itself<T>())
struct Pack<T> {
  static constexpr bool possible = std::is_default_constructible_v<T>;
  static void write(Packer& out, const T& value) { save_by_itself(out, value); }
  static T read(Unpacker& in) {
    T value{};
    load_by_itself(in, value);
    return value;
  }
};

// cereal's own words around a member: its name beside it (make_nvp), the part of a base class.
template <class T>
concept NamedMember = requires(T& t) {
  t.name;
  t.value;
} && std::is_reference_v<decltype(std::declval<T&>().value)>;
template <class T>
concept BaseMember = requires(T& t) { *t.base_ptr; };

template <class T>
constexpr void check_packable() {
  static_assert(
      Pack<T>::possible,
      "this type cannot go to another process. A class of your own needs `template <class Archive> "
      "void serialize(Archive& archive)` and a default constructor, or <coil/cereal.hpp> and "
      "cereal's own header for it; pointers, references and views never can: pass what they point "
      "to");
}

template <class T>
void save_value(Packer& out, const T& value) {
  if constexpr (NamedMember<const T>) {
    save_value(out, value.value);
  } else if constexpr (BaseMember<const T>) {
    save_value(out, *value.base_ptr);
  } else if constexpr (std::is_array_v<T>) {
    for (const auto& element : value) save_value(out, element);
  } else {
    check_packable<T>();
    Pack<T>::write(out, value);
  }
}
template <class T>
void load_value(Unpacker& in, T& value) {
  if constexpr (NamedMember<T>) {
    load_value(in, value.value);
  } else if constexpr (BaseMember<T>) {
    load_value(in, *value.base_ptr);
  } else if constexpr (std::is_array_v<T>) {
    for (auto& element : value) load_value(in, element);
  } else if constexpr (packs_itself<T>()) {
    load_by_itself(in, value);
  } else {
    check_packable<T>();
    value = Pack<T>::read(in);
  }
}

}  // namespace coil::detail
