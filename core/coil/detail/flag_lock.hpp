// A spin lock that carries a flag: anybody may read the flag, the holder of the lock changes it,
// by unlocking.
//
// Invariant: unlock(flag) is one store, so that who sees the flag may destroy the lock at once:
// nobody who has set it touches it afterwards. As for SpinLock, only a few instructions run under
// it. Kept by tests/model/event_line_model.cpp.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstdint>

namespace coil::detail {

class FlagLock {
 public:
  // Acquire pairs with unlock(): what was done before the flag was set.
  [[nodiscard]] bool flag() const noexcept {
    return (word_.load(std::memory_order_acquire) & flagged) != 0;
  }

  // Gives the flag as it is. Always a read-modify-write, even if the flag is as the caller wants
  // it: of one who publishes work and sets the flag, and one who clears it and looks for work, the
  // later one sees what the earlier one has done.
  [[nodiscard]] bool lock() noexcept {
    for (;;) {
      // Acquire pairs with the release in unlock().
      const auto word = word_.fetch_or(held, std::memory_order_acquire);
      if ((word & held) == 0) [[likely]]
        return (word & flagged) != 0;
      wait();
    }
  }
  void unlock(bool flag) noexcept {
    word_.store(flag ? flagged : std::uint8_t{0}, std::memory_order_release);
  }

 private:
  static constexpr std::uint8_t flagged = 1;
  static constexpr std::uint8_t held = 2;

  void wait() noexcept {
    for (int spins = 0; (word_.load(std::memory_order_relaxed) & held) != 0; ++spins) {
      spin_pause();
#ifndef COIL_MODEL
      if (spins > 100) spin_wait_long();
#endif
    }
  }

  Atomic<std::uint8_t> word_{0};
};

}  // namespace coil::detail
