#include "main_task.hpp"

#include <signal.h>

#include <coil/detail/task_view.hpp>
#include <coil/exceptions.hpp>
#include <optional>

#include "interrupt.hpp"
#include "terminate.hpp"

namespace coil::detail {

// While main unwinds what one signal has cancelled, the other changes nothing.
void MainTask::on_interrupt(void* self, int signal) {
  auto& main = *static_cast<MainTask*>(self);
  if (main.signal_ != 0 && main.task_->cancelling() != 0) return;
  (main.task_->cancel({}) ? main.signal_ : main.late_signal_) = signal;
}

// As in asyncio: a main task that swallowed the cancel, or was cancelled by others too, decides; a
// signal that found it ended, while the others were being unwound, shows in any case. One that came
// when nothing would suspend any more was not swallowed either.
int MainTask::ended_by() {
  if (late_signal_ != 0) return late_signal_;
  const bool not_met = task_->phase() == FutureBase::Phase::Value && task_->edge_undelivered();
  const bool met = signal_ != 0 && (task_->cancelled() || not_met) && task_->uncancel() == 0;
  return met ? signal_ : 0;
}

void MainTask::run(Rest rest) {
  {
    // In this order: a signal that comes as soon as it is handled finds everything in place.
    pool_.on_interrupt(&on_interrupt, this);
    const InterruptGuard interrupt(pool_, SIGINT);
    std::optional<InterruptGuard> terminate;
    if (pool_.settings().sigterm) terminate.emplace(pool_, SIGTERM);
    driver_.run_until_done(*task_);
    if (rest == Rest::Cancel) driver_.cancel_rest();
  }
  pool_.check_interrupt();
  pool_.on_interrupt(nullptr, nullptr);
  if (context_in_use()) {
    pool_.main_context().clear();
    pool_.main_context().share(task_->context);
  }
  task_->mark_retrieved();
  if (driver_.deadlock()) std::rethrow_exception(driver_.deadlock());
  const int signal = ended_by();
  if (signal == 0 && task_->phase() == FutureBase::Phase::Value) return;
  const std::exception_ptr error = signal == SIGINT ? std::make_exception_ptr(KeyboardInterrupt())
                                   : signal == SIGTERM
                                       ? std::make_exception_ptr(TerminationRequest())
                                       : task_->error();
  end_like_python_if_uncaught(error,
                              signal != 0 ? std::vector<StackFrame>() : exception_stack(*task_));
  std::rethrow_exception(error);
}

}  // namespace coil::detail
