// The one door through which Coil reaches atomics, so that the explorer in tests/model can stand
// in for the hardware and run every interleaving of the real code.
//
// Invariant: without COIL_MODEL each name here stands for one builtin, as std's own do, or for
// nothing at all: no cost. With COIL_MODEL each is the explorer's, and behaves as the C++ memory
// model allows. A program never links objects of both kinds.
#pragma once

#if defined(COIL_MODEL)

#include <model/atomic.hpp>

#define COIL_MUTATION(name) (::model::mutated(name))

namespace coil::detail {

template <class T>
using Atomic = ::model::Atomic<T>;
template <class T>
using Plain = ::model::Plain<T>;
using Mutex = ::model::Mutex;

// Here the thread sleeps until another one has changed something, so that spinning ends, and so
// that spinning for what never comes is reported.
inline void spin_pause() { ::model::spin_pause(); }

}  // namespace coil::detail

#else

// std::memory_order alone: all of <atomic> is 1,500 lines more for whoever includes Coil.
#if __has_include(<bits/atomic_base.h>)
#include <bits/atomic_base.h>
#else
#include <atomic>
#endif
#include <concepts>
#include <type_traits>

// True where the explorer was told to break the step of this name; production has no such branch.
#define COIL_MUTATION(name) false

namespace coil::detail {

// What std::atomic<T> is, as far as Coil uses it.
template <class T>
class Atomic {
  static_assert(std::is_trivially_copyable_v<T>);
  // NOLINTNEXTLINE(bugprone-sizeof-expression): T may be a pointer
  static_assert(sizeof(T) <= sizeof(void*));
  using Order = std::memory_order;

 public:
  using value_type = T;

  constexpr Atomic() noexcept : value_() {}
  // NOLINTNEXTLINE(google-explicit-constructor): as std::atomic
  constexpr Atomic(T value) noexcept : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  [[nodiscard]] T load(Order order = std::memory_order_seq_cst) const noexcept {
    T value;
    __atomic_load(&value_, &value, static_cast<int>(order));
    return value;
  }
  void store(T value, Order order = std::memory_order_seq_cst) noexcept {
    __atomic_store(&value_, &value, static_cast<int>(order));
  }
  T exchange(T value, Order order = std::memory_order_seq_cst) noexcept {
    T old;
    __atomic_exchange(&value_, &value, &old, static_cast<int>(order));
    return old;
  }
  bool compare_exchange_strong(T& expected, T desired, Order success, Order failure) noexcept {
    return __atomic_compare_exchange(&value_, &expected, &desired, false, static_cast<int>(success),
                                     static_cast<int>(failure));
  }
  bool compare_exchange_strong(T& expected, T desired,
                               Order order = std::memory_order_seq_cst) noexcept {
    return compare_exchange_strong(expected, desired, order, failure_of(order));
  }
  bool compare_exchange_weak(T& expected, T desired, Order success, Order failure) noexcept {
    return __atomic_compare_exchange(&value_, &expected, &desired, true, static_cast<int>(success),
                                     static_cast<int>(failure));
  }
  bool compare_exchange_weak(T& expected, T desired,
                             Order order = std::memory_order_seq_cst) noexcept {
    return compare_exchange_weak(expected, desired, order, failure_of(order));
  }
  T fetch_add(T by, Order order = std::memory_order_seq_cst) noexcept
    requires std::integral<T>
  {
    return __atomic_fetch_add(&value_, by, static_cast<int>(order));
  }
  T fetch_sub(T by, Order order = std::memory_order_seq_cst) noexcept
    requires std::integral<T>
  {
    return __atomic_fetch_sub(&value_, by, static_cast<int>(order));
  }
  T fetch_or(T bits, Order order = std::memory_order_seq_cst) noexcept
    requires std::integral<T>
  {
    return __atomic_fetch_or(&value_, bits, static_cast<int>(order));
  }
  T fetch_and(T bits, Order order = std::memory_order_seq_cst) noexcept
    requires std::integral<T>
  {
    return __atomic_fetch_and(&value_, bits, static_cast<int>(order));
  }

 private:
  [[nodiscard]] static constexpr Order failure_of(Order success) noexcept {
    if (success == std::memory_order_acq_rel) return std::memory_order_acquire;
    return success == std::memory_order_release ? std::memory_order_relaxed : success;
  }

  T value_;
};

// Data that a protocol hands from thread to thread without being atomic itself. Only a note to
// the reader here; the explorer checks every access for a race.
template <class T>
using Plain = T;

// Tells the core that this is a spin loop: the sibling hyperthread gets the pipeline.
inline void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#else
#error "coil::detail::spin_pause: only x86-64 and AArch64 are known"
#endif
}

}  // namespace coil::detail

#endif
