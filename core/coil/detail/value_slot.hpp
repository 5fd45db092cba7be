// Room for a result of type T that is built later, in a future, a task or a coroutine.
//
// Invariant: a slot does not know whether its value has been built; its owner does (from its
// phase). Its alignment is at most slot_alignment, whatever T's: then every promise lies where
// PromiseBase::of() looks for it, and frames and futures need no aligned memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>
#include <variant>

namespace coil::detail {

inline constexpr std::size_t slot_alignment = 16;

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

// Finds the aligned place in a block that has room for it anywhere.
template <class T>
  requires(!std::is_reference_v<T> && !std::is_void_v<T> && alignof(T) > slot_alignment)
class ValueSlot<T> {
 public:
  ValueSlot() noexcept = default;
  ValueSlot(const ValueSlot&) = delete;
  ValueSlot& operator=(const ValueSlot&) = delete;

  template <class... Args>
  void build(Args&&... args) {
    ::new (place()) T(std::forward<Args>(args)...);
  }
  void destroy() noexcept { get().~T(); }
  [[nodiscard]] T& get() noexcept { return *std::launder(static_cast<T*>(place())); }
  [[nodiscard]] T copy() { return get(); }
  [[nodiscard]] T&& take() noexcept { return std::move(get()); }

 private:
  [[nodiscard]] void* place() noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(block_);
    return block_ + (alignof(T) - address % alignof(T)) % alignof(T);
  }

  alignas(slot_alignment) std::byte block_[sizeof(T) + alignof(T) - slot_alignment];
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
  [[nodiscard]] auto* operator->() noexcept { return std::addressof(slot_.get()); }
  [[nodiscard]] decltype(auto) take() noexcept { return slot_.take(); }
  void reset() noexcept {
    if (std::exchange(built_, false)) slot_.destroy();
  }

 private:
  [[no_unique_address]] ValueSlot<T> slot_;
  bool built_ = false;
};

// void stands as std::monostate in tuples and vectors of results.
template <class T>
using NonVoid = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

}  // namespace coil::detail
