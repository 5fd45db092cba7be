#include "main_task.hpp"

#include <coil/detail/task_view.hpp>
#include <coil/exceptions.hpp>

#include "interrupt.hpp"
#include "terminate.hpp"

namespace coil::detail {

void MainTask::on_interrupt(void* self) {
  auto& main = *static_cast<MainTask*>(self);
  if (main.task_->cancel({})) {
    main.interrupted_ = true;
  } else {
    main.interrupted_late_ = true;
  }
}

void MainTask::run(Rest rest) {
  {
    // In this order: a signal that comes as soon as it is handled finds everything in place.
    pool_.on_interrupt(&on_interrupt, this);
    const InterruptGuard guard(pool_);
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
  // As in asyncio: a main task that swallowed the cancel, or was cancelled by others too, decides;
  // an interrupt that found it ended, while the others were being unwound, shows in any case.
  // One that came when nothing would suspend any more was not swallowed either.
  const bool not_met = task_->phase() == FutureBase::Phase::Value && task_->edge_undelivered();
  const bool interrupted = interrupted_late_ || (interrupted_ && (task_->cancelled() || not_met) &&
                                                 task_->uncancel() == 0);
  if (!interrupted && task_->phase() == FutureBase::Phase::Value) return;
  const std::exception_ptr error =
      interrupted ? std::make_exception_ptr(KeyboardInterrupt()) : task_->error();
  end_like_python_if_uncaught(error,
                              interrupted ? std::vector<StackFrame>() : exception_stack(*task_));
  std::rethrow_exception(error);
}

}  // namespace coil::detail
