// How the parent of a fork and the children that others took find out who is last.
//
//   a branch, when it has ended          the parent, when it has run all that it got
//   1. word += 1; was it -1:             a. word -= missing; 0 now: all are there
//      it wakes the parent                  else it suspends, and is woken
//
// Before a the word counts upwards from 0, after it upwards from below 0: so it is -1 before a step
// only after a, and reaches 0 after a once, by a itself or by the last branch. Both are acquire and
// release: whoever goes on sees what every branch did.
// Kept by tests/model/fork_model.cpp, "the parent goes on once, after all children".
#pragma once

#include <coil/detail/atomic.hpp>
#include <cstdint>

namespace coil::detail {

class JoinCount {
 public:
  // A branch, once. True: it wakes the parent. Otherwise nothing of the fork is touched any more.
  [[nodiscard]] bool arrive() noexcept {
    return word_.fetch_add(1, std::memory_order_acq_rel) == -1;
  }
  // The parent, once. True: all have arrived.
  [[nodiscard]] bool settle(std::int32_t missing) noexcept {
    return word_.fetch_sub(missing, std::memory_order_acq_rel) == missing;
  }
  // After settle(): the last one has arrived.
  [[nodiscard]] bool complete() const noexcept {
    return word_.load(std::memory_order_acquire) == 0;
  }

 private:
  Atomic<std::int32_t> word_{0};
};

}  // namespace coil::detail
