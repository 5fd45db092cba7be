// How much work is under way on threads that are none of the Runner's, and that the Runner is to
// await before it closes.
//
// Invariant: whoever gets the future of drained() sees it done, though more may have begun by then.
#pragma once

#include <coil/detail/future_state.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstddef>
#include <utility>

namespace coil::detail {

// Any thread.
class OutsideCount {
 public:
  void begin() noexcept {
    const SpinGuard guard(lock_);
    ++count_;
  }
  // What the caller is to complete, or empty.
  [[nodiscard]] FutureRef end() noexcept {
    const SpinGuard guard(lock_);
    return --count_ == 0 ? std::move(drained_) : FutureRef();
  }
  // Empty if there is nothing to wait for.
  [[nodiscard]] FutureRef drained() {
    FutureRef fresh(new FutureState<void>, AdoptRef{});
    const SpinGuard guard(lock_);
    if (count_ == 0) return {};
    if (!drained_) drained_ = std::move(fresh);
    return drained_;
  }
  [[nodiscard]] bool any() noexcept {
    const SpinGuard guard(lock_);
    return count_ != 0;
  }

 private:
  SpinLock lock_;  // all that follows
  std::size_t count_ = 0;
  FutureRef drained_;
};

}  // namespace coil::detail
