#include <coil/detail/sleep_awaiter.hpp>

namespace coil::detail {

constinit const LeafKind SleepUntil::leaf_kind{"sleep", &SleepUntil::stop, nullptr};
constinit const TimerKind SleepUntil::timer_kind{&SleepUntil::expire, &SleepUntil::fire};

SleepUntil::SleepUntil(TimePoint deadline) noexcept
    : Suspension(leaf_kind), Timer(timer_kind), when_(deadline) {}

HookResult SleepUntil::stop(Suspension& leaf, Abort kind) noexcept {
  auto& self = static_cast<SleepUntil&>(leaf);
  HookResult result;
  // Not disarmed: the timer has expired and its wake-up is coming.
  result.taken = self.when_ == never || disarm_timer(self);
  if (result.taken) {
    self.aborted = kind;
    self.Suspension::task->wake();
  }
  return result;
}

void SleepUntil::expire(Timer&, CancelWork&) noexcept {}

void SleepUntil::fire(Timer& timer) noexcept {
  static_cast<SleepUntil&>(timer).Suspension::task->wake();
}

}  // namespace coil::detail
