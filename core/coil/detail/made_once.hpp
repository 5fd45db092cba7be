// Whether something that several threads may need has been made: by the first of them, while the
// others wait for the few stores that takes.
//
//   the first                             another
//   1. word None -> Making                a. reads Made, or waits until it does: acquire
//   2. makes it                           b. uses it
//   3. word = Made, release
//
// Kept by tests/model/fork_model.cpp, "what two threads need is made once".
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstdint>

namespace coil::detail {

class MadeOnce {
 public:
  // Any thread: afterwards make(), which must not throw or wait, has been called by somebody.
  template <class Make>
  void need(Make&& make) noexcept {
    auto word = word_.load(std::memory_order_acquire);
    if (word == Made) return;
    if (word == None && word_.compare_exchange_strong(word, Making, std::memory_order_acquire,
                                                      std::memory_order_acquire)) {
      make();
      word_.store(Made, std::memory_order_release);
      return;
    }
    while (word_.load(std::memory_order_acquire) != Made) wait();
  }
  // For who knows that nobody is making it.
  [[nodiscard]] bool made() const noexcept { return word_.load(std::memory_order_relaxed) != None; }

 private:
  static void wait() noexcept {
#ifdef COIL_MODEL
    spin_pause();
#else
    spin_wait_long();
#endif
  }

  enum Word : std::uint8_t { None, Making, Made };
  Atomic<std::uint8_t> word_{None};
};

}  // namespace coil::detail
