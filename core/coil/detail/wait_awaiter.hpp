// How a task waits for what a GatherState counts, with a limit: nothing is passed on to it.
//
// Three may end the wait: a child, the timer, a cancel. The one that settles the state wakes the
// task, and nobody else does; the timer settles under its wheel's lock and wakes after it.
// Kept by tests/core/wait_test.cpp and tests/core/wait_stress.cpp.
#pragma once

#include <coil/detail/gather_state.hpp>
#include <coil/detail/timer.hpp>

namespace coil::detail {

class WaitAwaiter : public NativeAwaiter, private Suspension, private Timer {
 public:
  WaitAwaiter(GatherState& state, TimePoint deadline) noexcept;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    TaskBase& task = *self.promise().task;
    return task.suspend(self, *this, [&] { return arm(task); });
  }
  // Throws CancelledError; else it is settled, or time is up.
  void await_resume();

 private:
  [[nodiscard]] bool arm(TaskBase& task);
  static HookResult give_up(Suspension& leaf, Abort kind) noexcept;
  static void expire(Timer& timer, CancelWork& work) noexcept;
  static const LeafKind leaf_kind;
  static const TimerKind timer_kind;

  GatherState& state_;
  TimePoint when_;
  bool armed_ = false;
};

}  // namespace coil::detail
