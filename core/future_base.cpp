#include <coil/detail/callback.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/detail/task_view.hpp>
#include <coil/exception_context.hpp>
#include <coil/exceptions.hpp>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace coil::detail {

FutureBase::~FutureBase() {
  if (!done()) DoneCallback::discard_all(*this);
}

// The last reference has gone. The report is a new one, which the handler may copy.
void FutureBase::report_unretrieved() noexcept {
  mark_retrieved();
  references_.store(1, std::memory_order_relaxed);
  {
    ExceptionContext context;
    context.exception = error_;
    if (TaskBase* task = as_task()) {
      context.message = "Task exception was never retrieved";
      context.task = TaskRef(task);
      context.origin = task->origin();
      context.stack = exception_stack(*task);
      task->report_link().report(context);
    } else {
      context.message = "Future exception was never retrieved";
      report_to_handler(context);
    }
  }
  release();
}

void FutureBase::report_to_handler(const ExceptionContext& context) const noexcept {
  report(context);
}

void FutureBase::finish_error(std::exception_ptr error) noexcept {
  const bool cancelled = is_cancelled_error(error);
  error_ = std::move(error);
  completion_.complete(cancelled ? Phase::Cancelled : Phase::Exception);
}

bool FutureBase::try_finish_error(std::exception_ptr error) noexcept {
  if (!completion_.claim()) return false;
  finish_error(std::move(error));
  return true;
}

bool FutureBase::cancel(std::string_view message) {
  if (done() || !completion_.claim()) return false;
  finish_error(std::make_exception_ptr(CancelledError(message)));
  return true;
}

void FutureBase::throw_unless_value() const {
  switch (phase()) {
    case Phase::Value:
      return;
    case Phase::Pending:
      throw InvalidStateError("the result is not set yet");
    case Phase::Exception:
      TaskBase::adopt_trace(*this);
      [[fallthrough]];
    case Phase::Cancelled:
      std::rethrow_exception(error());
  }
}

namespace {

// A thread that blocks until a future is done.
struct ThreadWaiter : FutureWaiter {
  std::mutex mutex;
  std::condition_variable condition;
  bool woken = false;

  ThreadWaiter() {
    wake = [](FutureWaiter& waiter) noexcept {
      auto& self = static_cast<ThreadWaiter&>(waiter);
      // Notifies under the lock: once it is free the waiter may be gone.
      const std::lock_guard lock(self.mutex);
      self.woken = true;
      self.condition.notify_one();
    };
  }
};

}  // namespace

bool FutureBase::block_until_done(const char* operation, const TimePoint* deadline) const {
  if (done()) return true;
  if (running_loop() != nullptr)
    throw InvalidStateError(std::string(operation) +
                            ": the future is not done, and blocking would hold the event loop; "
                            "co_await it instead");
  ThreadWaiter waiter;
  auto& completion = const_cast<Completion&>(completion_);
  if (!completion.add(waiter)) return true;
  std::unique_lock lock(waiter.mutex);
  const auto woken = [&] { return waiter.woken; };
  if (deadline == nullptr || *deadline == never) {
    waiter.condition.wait(lock, woken);
    return true;
  }
  if (waiter.condition.wait_until(lock, *deadline, woken)) return true;
  lock.unlock();
  if (completion.remove(waiter)) return false;
  lock.lock();
  waiter.condition.wait(lock, woken);  // the wake-up is on its way
  return true;
}

}  // namespace coil::detail
