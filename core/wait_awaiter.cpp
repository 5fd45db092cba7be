#include <coil/detail/cancel_work.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/wait_awaiter.hpp>
#include <coil/wait.hpp>
#include <stdexcept>

namespace coil::detail {

constinit const LeafKind WaitAwaiter::leaf_kind{"wait", &WaitAwaiter::give_up, nullptr};
constinit const TimerKind WaitAwaiter::timer_kind{&WaitAwaiter::expire, nullptr};

WaitAwaiter::WaitAwaiter(GatherState& state, TimePoint deadline) noexcept
    : Suspension(leaf_kind), Timer(timer_kind), state_(state), when_(deadline) {}

// A child may have woken the task already, which cannot run before it has suspended; and the timer
// expires on this thread only. So nobody minds that the timer comes second.
bool WaitAwaiter::arm(TaskBase& task) {
  if (!state_.arm(task)) return false;
  armed_ = when_ != never;
  if (armed_) arm_timer(*this, when_);
  return true;
}

HookResult WaitAwaiter::give_up(Suspension& leaf, Abort kind) noexcept {
  auto& self = static_cast<WaitAwaiter&>(leaf);
  HookResult result;
  TaskBase* task = self.state_.give_up();
  if (task == nullptr) return result;  // settled: the wake-up is on its way
  self.aborted = kind;
  result.taken = true;
  task->wake();
  return result;
}

void WaitAwaiter::expire(Timer& timer, CancelWork& work) noexcept {
  if (TaskBase* task = static_cast<WaitAwaiter&>(timer).state_.give_up()) work.add_wake(*task);
}

// Disarming takes the wheel's lock, so that an expire() in progress has ended.
void WaitAwaiter::await_resume() {
  if (armed_) (void)disarm_timer(*this);
  if (aborted != Abort::None) [[unlikely]]
    Suspension::task->throw_cancelled(aborted);
}

GatherMode mode_of(ReturnWhen when) {
  switch (when) {
    case FIRST_COMPLETED:
      return GatherMode::FirstDone;
    case FIRST_EXCEPTION:
      return GatherMode::FirstException;
    case ALL_COMPLETED:
      return GatherMode::AllDone;
  }
  throw std::invalid_argument("wait: return_when is none of the three");
}

}  // namespace coil::detail
