// The two suspensions that need nobody else: until a time, and until everybody ready has had a go.
#pragma once

#include <coil/detail/promise_base.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/timer.hpp>

namespace coil::detail {

// Gives way: suspends always, and runs again behind all that is ready on this loop. While it
// waits in the queue nothing can abort it; a cancel shows when it runs again.
class YieldAwaiter : public NativeAwaiter {
 public:
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    task_ = self.promise().task;
    aborted_ = task_->take_cancel();
    if (aborted_ != Abort::None) [[unlikely]]
      return false;
    task_->set_resume_point(self);
    make_ready_behind(*task_);
    return true;
  }
  COIL_INLINED void await_resume() {
    if (aborted_ == Abort::None) aborted_ = task_->take_cancel();
    if (aborted_ != Abort::None) [[unlikely]]
      task_->throw_cancelled(aborted_);
  }

 private:
  TaskBase* task_ = nullptr;
  Abort aborted_ = Abort::None;
};

// Suspends until the deadline, on the timers of the loop that runs the task now.
class SleepUntil : public NativeAwaiter, private Suspension, private Timer {
 public:
  explicit SleepUntil(TimePoint deadline) noexcept;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this, [this] {
      // For ever is no timer at all: only a cancel ends it, and a deadlock report names it.
      if (when_ != never) arm_timer(*this, when_);
      return true;
    });
  }
  COIL_INLINED void await_resume() {
    if (aborted != Abort::None) [[unlikely]]
      Suspension::task->throw_cancelled(aborted);
  }

 private:
  static HookResult stop(Suspension& leaf, Abort kind) noexcept;
  static void expire(Timer& timer, CancelWork& work) noexcept;
  static void fire(Timer& timer) noexcept;
  static const LeafKind leaf_kind;
  static const TimerKind timer_kind;

  TimePoint when_;
};

}  // namespace coil::detail
