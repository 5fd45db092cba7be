// A flag, and those who wait for it to be set: what Event is made of.
//
//   set                              wait                          a cancel hook
//   1. lock; takes the line          a. set: goes on               i. lock; still in line: unlinks
//   2. unlock, and set: one store    b. lock; looks again; not        it; unlock, flag as it was
//   3. wakes them                       set: pushes; unlock
//
// 2 is the last touch: whoever sees the flag at `a` may destroy the object. Nobody is in line while
// the flag is set, so nobody is forgotten there. Kept by tests/model/event_line_model.cpp.
#pragma once

#include <coil/detail/flag_lock.hpp>
#include <coil/detail/wait_line.hpp>

namespace coil::detail {

class EventLine {
 public:
  [[nodiscard]] bool is_set() const noexcept { return lock_.flag(); }

  // Gives everybody who waited, as a list through `next`. The caller wakes each, reading `next`
  // first.
  [[nodiscard]] Waiter* set() noexcept {
    (void)lock_.lock();
    Waiter* waiters = line_.pop_all();
    lock_.unlock(true);
    return waiters;
  }
  void clear() noexcept {
    (void)lock_.lock();
    lock_.unlock(false);
  }
  // True: the waiter is in line. False: it is set.
  [[nodiscard]] bool line_up(Waiter& waiter) noexcept {
    const bool set = lock_.lock();
    if (!set) line_.push(waiter);
    lock_.unlock(set);
    return !set;
  }
  // For cancel hooks. False: it has been taken out of the line, and is being woken.
  [[nodiscard]] bool leave(Waiter& waiter) noexcept {
    const bool set = lock_.lock();
    const bool linked = waiter.linked;
    if (linked) line_.remove(waiter);
    lock_.unlock(set);
    return linked;
  }

  // For destructors, when nobody else may look any more.
  [[nodiscard]] bool awaited() const noexcept { return !line_.empty(); }
  [[nodiscard]] WaitLine& line() noexcept { return line_; }

 private:
  FlagLock lock_;  // guards the line, whose own lock is not used
  WaitLine line_;
};

}  // namespace coil::detail
