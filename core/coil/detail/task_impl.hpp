// A task with its result: runs one Coro<T> and keeps what it returned.
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/future_state.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/exceptions.hpp>
#include <exception>
#include <source_location>
#include <utility>

namespace coil::detail {

// Standing in as a frame, the loop resumes it in start(), and control arrives in finished() when
// the outermost coroutine ends.
template <class T>
class TaskImpl final : public TaskBase, public ValueHolder<T> {
 public:
  TaskImpl(Coro<T> coro, std::source_location origin) noexcept : TaskBase(origin) {
    set_outermost(coro.release());
    FrameHeader::resume = &start;
    promise().continuation = FrameHeader::handle();
    promise().task = this;
    set_resume_point(FrameHeader::handle());
  }
  ~TaskImpl() override {
    if (phase() == Phase::Value) this->slot().destroy();
  }

  // Instead of start_task: the coroutine is dropped unstarted, with the task's own reference.
  void abandon() noexcept {
    outermost().destroy();
    release();
  }

 private:
  [[nodiscard]] CoroPromise<T>& promise() const noexcept {
    return Coro<T>::Handle::from_address(outermost().address()).promise();
  }

  static void start(FrameHeader* frame) noexcept {
    auto& self = *static_cast<TaskImpl*>(frame);
    self.FrameHeader::resume = &finished;
    if (self.cancel_pending()) [[unlikely]] {
      // As in asyncio: what was cancelled before it started never runs.
      if (auto cancelled = self.cancelled_before_start()) {
        self.destroy_outermost();
        return self.end(Phase::Cancelled, std::move(cancelled));
      }
    }
    self.set_resume_point(self.outermost());
    self.outermost().resume();
  }

  static void finished(FrameHeader* frame) noexcept {
    auto& self = *static_cast<TaskImpl*>(frame);
    auto& promise = self.promise();
    std::exception_ptr error;
    if (promise.outcome == CoroOutcome::Error) [[unlikely]] {
      error = std::move(promise.error);
    } else if (self.cancel_pending() && (error = self.cancelled_at_end())) {
      // As in asyncio: its own cancel, which has met no suspension any more, shows here.
    } else {
      error = self.keep_value(promise);
    }
    self.destroy_outermost();  // before anybody hears of the end: arguments and locals are gone
    Phase phase = Phase::Value;
    if (error) [[unlikely]]
      phase = is_cancelled_error(error) ? Phase::Cancelled : Phase::Exception;
    self.end(phase, std::move(error));
  }

  std::exception_ptr keep_value(CoroPromise<T>& promise) noexcept {
    if constexpr (!std::is_void_v<T>) {
      try {
        this->slot().build(promise.slot.take());
      } catch (...) {
        return std::current_exception();
      }
    }
    (void)promise;
    return nullptr;
  }
};

}  // namespace coil::detail
