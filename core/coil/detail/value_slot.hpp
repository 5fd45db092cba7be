// Room for a result of type T that is built later, in a future, a task or a coroutine.
//
// Invariant: a slot does not know whether its value has been built; its owner does (from its
// phase).
#pragma once

#include <new>
#include <type_traits>
#include <utility>
#include <variant>

namespace coil::detail {

template <class T>
class ValueSlot {
 public:
  ValueSlot() noexcept {}
  ~ValueSlot() {}
  ValueSlot(const ValueSlot&) = delete;
  ValueSlot& operator=(const ValueSlot&) = delete;

  template <class... Args>
  void build(Args&&... args) {
    ::new (static_cast<void*>(std::addressof(value_))) T(std::forward<Args>(args)...);
  }
  void destroy() noexcept { value_.~T(); }
  [[nodiscard]] T& get() noexcept { return value_; }
  [[nodiscard]] T copy() { return value_; }
  [[nodiscard]] T&& take() noexcept { return std::move(value_); }

 private:
  union {
    T value_;
  };
};

template <class T>
class ValueSlot<T&> {
 public:
  void build(T& value) noexcept { value_ = std::addressof(value); }
  void destroy() noexcept {}
  [[nodiscard]] T& get() noexcept { return *value_; }
  [[nodiscard]] T& copy() noexcept { return *value_; }
  [[nodiscard]] T& take() noexcept { return *value_; }

 private:
  T* value_ = nullptr;
};

template <>
class ValueSlot<void> {
 public:
  void build() noexcept {}
  void destroy() noexcept {}
  void get() noexcept {}
  void copy() noexcept {}
  void take() noexcept {}
};

// The same with a note of whether it has been built. T may be a reference or void.
template <class T>
class KeptValue {
 public:
  KeptValue() noexcept = default;
  ~KeptValue() {
    if (built_) slot_.destroy();
  }
  KeptValue(const KeptValue&) = delete;
  KeptValue& operator=(const KeptValue&) = delete;

  template <class... Args>
  void build(Args&&... args) {
    slot_.build(std::forward<Args>(args)...);
    built_ = true;
  }
  [[nodiscard]] bool built() const noexcept { return built_; }
  [[nodiscard]] decltype(auto) take() noexcept { return slot_.take(); }

 private:
  [[no_unique_address]] ValueSlot<T> slot_;
  bool built_ = false;
};

// void stands as std::monostate in tuples and vectors of results.
template <class T>
using NonVoid = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

}  // namespace coil::detail
