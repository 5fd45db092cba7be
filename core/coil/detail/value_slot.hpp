// Room for a result of type T that is built later, in a future, a task or a coroutine's promise.
//
// Invariant: the owner knows whether the value has been built (from its phase); the slot does not.
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

// void stands as std::monostate in tuples and vectors of results.
template <class T>
using NonVoid = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

}  // namespace coil::detail
