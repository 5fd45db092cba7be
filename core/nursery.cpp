#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/exception_group.hpp>
#include <coil/nursery.hpp>
#include <stdexcept>
#include <utility>

namespace coil {

using detail::TaskBase;

void Nursery::check_open(bool finished) const {
  if (finished) throw std::runtime_error("Nursery is closed to new arrivals");
}

// The group hangs from the scope, so that the scope's cancellation reaches every task.
void Nursery::enter(TaskBase& parent) {
  scope_.enter(parent);
  open(parent);
}

void Nursery::member_failed() noexcept { scope_.cancel("another task of the nursery failed"); }

// A level reaches the tasks by itself.
void Nursery::parent_cancelled(std::exception_ptr error) noexcept {
  if (detail::is_level_cancelled_error(error)) return;
  cancellation_ = std::move(error);
  scope_.cancel("the nursery's task was cancelled");
}

bool Nursery::ending() const noexcept { return detail::effectively_cancelled(scope); }

std::vector<TaskRef> Nursery::child_tasks() {
  std::vector<TaskRef> tasks;
  for_each([&](TaskBase& task) { tasks.emplace_back(&task); });
  return tasks;
}

Coro<std::exception_ptr> Nursery::join(std::exception_ptr error) {
  if (error) {
    if (!detail::is_cancelled_error(error)) {
      note_failure(error);
    } else {
      (detail::is_level_cancelled_error(error) ? level_ : cancellation_) = error;
    }
    scope_.cancel("the nursery's function failed");
  }
  co_await MemberGroup::join();
  co_return outcome();
}

std::exception_ptr Nursery::outcome() {
  if (base_error_) return base_error_;
  if (!errors_.empty()) {
    // Cancelled from outside as well: that comes again at the next suspension.
    if (cancellation_) parent().defer_edge();
    return std::make_exception_ptr(
        ExceptionGroup("unhandled errors in a Nursery", std::move(errors_)));
  }
  if (cancellation_) {
    parent().absorb_edge();
    return cancellation_;
  }
  if (level_) return level_;
  // A task that was cut short shows, to the scope that did it.
  if (!member_cancelled_ || !detail::effectively_cancelled(scope)) return nullptr;
  return std::make_exception_ptr(detail::CancelledErrorAccess::make(detail::cancel_reason(scope),
                                                                    detail::CancelOrigin::Level));
}

std::exception_ptr Nursery::leave(std::exception_ptr error) {
  return scope_.leave(error) ? nullptr : error;
}

}  // namespace coil
