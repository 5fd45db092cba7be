// A one-byte lock for critical sections of a few instructions: list links, a flag and a pointer.
//
// Invariant: nothing that allocates for long, calls user code or takes a system call runs under
// it. A holder may still be preempted, so a waiter gives its time slice away after a short spin.
#pragma once

#include <coil/detail/atomic.hpp>

namespace coil::detail {

void spin_wait_long() noexcept;  // gives the time slice away

class SpinLock {
 public:
  void lock() noexcept {
    // Acquire pairs with the release in unlock().
    while (held_.exchange(true, std::memory_order_acquire)) [[unlikely]]
      wait();
  }
  void unlock() noexcept { held_.store(false, std::memory_order_release); }

 private:
  void wait() noexcept {
    for (int spins = 0; held_.load(std::memory_order_relaxed); ++spins) {
      spin_pause();
#ifndef COIL_MODEL
      if (spins > 100) spin_wait_long();
#endif
    }
  }
  Atomic<bool> held_{false};
};

class SpinGuard {
 public:
  explicit SpinGuard(SpinLock& lock) noexcept : lock_(lock) { lock_.lock(); }
  ~SpinGuard() { lock_.unlock(); }
  SpinGuard(const SpinGuard&) = delete;
  SpinGuard& operator=(const SpinGuard&) = delete;

 private:
  SpinLock& lock_;
};

}  // namespace coil::detail
