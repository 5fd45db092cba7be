#include <coil/detail/wait_line.hpp>

namespace coil::detail {

HookResult WaitLine::leave(Suspension& leaf, Abort kind) noexcept {
  auto& waiter = static_cast<Waiter&>(leaf);
  HookResult result;
  {
    const SpinGuard guard(waiter.line->lock_);
    if (!waiter.linked) return result;  // whoever took it out of the line wakes it
    waiter.line->remove(waiter);
  }
  waiter.aborted = kind;
  result.taken = true;
  waiter.task->wake();
  return result;
}

}  // namespace coil::detail
