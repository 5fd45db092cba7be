#include <coil/detail/current_task.hpp>
#include <coil/detail/start_control.hpp>
#include <coil/exceptions.hpp>
#include <stdexcept>

namespace coil::detail {

void StartControl::adopt(CancelScope& scope) {
  Canceller canceller = scope.canceller();
  bool cancelled = false;
  {
    const SpinGuard guard(lock_);
    cancelled = cancelled_;
    canceller_ = canceller;
  }
  if (cancelled) canceller.cancel("the start was cancelled");
}

void StartControl::cancel() {
  Canceller canceller;
  {
    const SpinGuard guard(lock_);
    cancelled_ = true;
    canceller = canceller_;
  }
  canceller.cancel("the start was cancelled");
}

std::exception_ptr never_started(std::exception_ptr error) {
  if (error) return error;
  return std::make_exception_ptr(
      std::runtime_error("child exited without calling task_status.started()"));
}

Coro<> wait_until_started(FutureRef ready, Ref<StartControl> control, FutureRef child) {
  TaskBase& self = co_await CurrentTask();
  std::exception_ptr cancelled;
  try {
    co_await FutureWait(ready, shielded_leaf);
  } catch (const CancelledError&) {
    cancelled = std::current_exception();
  }
  if (!cancelled) {
    if (!ready->cancelled()) co_return ready->throw_unless_value();
    // The child was cancelled with its nursery, and this task, if it is in there too, will be.
    if (effectively_cancelled(self.scope())) self.throw_cancelled(Abort::Level);
    throw std::runtime_error("Nursery::start: the child was cancelled before it had started");
  }
  control->cancel();
  co_await FutureWait(child, joining_leaf);
  // As in Trio a failure of the child shows rather than the cancellation, which is thrown again at
  // the next suspension.
  if (ready->phase() == FutureBase::Phase::Exception) {
    if (!is_level_cancelled_error(cancelled)) self.defer_edge();
    std::rethrow_exception(ready->error());
  }
  std::rethrow_exception(cancelled);
}

}  // namespace coil::detail
