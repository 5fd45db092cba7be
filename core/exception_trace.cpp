// Where exceptions come from: each coroutine that one leaves adds its place to its task's trace.
#include <coil/detail/exception_trace.hpp>
#include <coil/detail/fork_wait.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/exceptions.hpp>

namespace coil::detail {
namespace {

constexpr std::size_t frames_max = 1'000;

}  // namespace

void PromiseBase::trace(const std::exception_ptr& error) const noexcept {
  ForkWait::note_failure(*this);
  if (!is_cancelled_error(error)) task->trace(error, *this);
}

// The address of an exception is used again once it is gone. So that a new one does not go on with
// an old one's trace, its type and the frame that it leaves have to fit, too.
void TaskBase::trace(const std::exception_ptr& error, const PromiseBase& from) noexcept {
  try {
    if (!trace_) trace_ = Box<ExceptionTrace>(new ExceptionTrace);
    ExceptionTrace& trace = *trace_;
    const void* const frame = from.frame().address();
    if (trace.exception != thrown_object(error) || trace.type != thrown_type(error) ||
        (trace.next_frame != nullptr && trace.next_frame != frame)) {
      trace.exception = thrown_object(error);
      trace.type = thrown_type(error);
      trace.frames.clear();
    }
    trace.next_frame = from.continuation.address();
    if (trace.frames.size() < frames_max) trace.frames.push_back(from.where);
  } catch (...) {  // out of memory: the exception goes on without a trace
  }
}

void TaskBase::adopt_trace(const FutureBase& failed) noexcept {
  TaskBase* self = running_task();
  const TaskBase* task = failed.as_task();
  if (self == nullptr || task == nullptr || self == task || !task->has_trace()) return;
  try {
    Box<ExceptionTrace> copy(new ExceptionTrace(*task->trace_));
    copy->next_frame = nullptr;
    self->trace_ = std::move(copy);
  } catch (...) {  // as above
  }
}

// The last exception that left a coroutine need not be the one that ended the task.
bool TaskBase::has_trace() const noexcept {
  return phase() == Phase::Exception && trace_ && trace_->exception == thrown_object(peek_error());
}

const std::vector<std::source_location>& TaskBase::exception_frames() const noexcept {
  static const std::vector<std::source_location> none;
  return has_trace() ? trace_->frames : none;
}

}  // namespace coil::detail
