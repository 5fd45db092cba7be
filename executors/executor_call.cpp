#include <coil/detail/executor_call.hpp>
#include <coil/exception_context.hpp>
#include <coil/exceptions.hpp>

namespace coil::detail {

bool ExecutorCall::begin() noexcept {
  // Acquire: what was kept was written by who handed it over, or let go of by who dropped it.
  if (state_.exchange(State::Begun, std::memory_order_acq_rel) != State::Waiting) return false;
  host_ = {};
  return true;
}

// Whoever runs a call holds a reference to it.
void ExecutorCall::finish() noexcept {
  call();
  finished();
}
void ExecutorCall::finished() noexcept { work_ = {}; }

void ExecutorCall::fail(std::exception_ptr error) noexcept {
  if (!begin()) return;
  let_go();
  if (!future().try_finish_error(error)) report_abandoned(error);
  finished();
}

OutsideWork ExecutorCall::drop() noexcept {
  auto expected = State::Waiting;
  if (!state_.compare_exchange_strong(expected, State::Dropped, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
    return {};
  if (const Ref<CallHost> host = std::move(host_)) host->remove(*this);
  let_go();
  return std::move(work_);
}

void ExecutorCall::report_abandoned(const std::exception_ptr& error) const noexcept try {
  if (is_cancelled_error(error)) return;  // it has noticed
  ExceptionContext context;
  context.message =
      "exception of a function that ran on in an executor after its await was cancelled";
  context.exception = error;
  reports_.report(context);
} catch (...) {
  return;  // no memory for the words
}

}  // namespace coil::detail
