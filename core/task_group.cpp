#include <algorithm>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/exception_group.hpp>
#include <coil/task_group.hpp>
#include <stdexcept>
#include <utility>

namespace coil {

using detail::SpinGuard;
using detail::TaskBase;

void TaskGroup::check_open(bool finished) const {
  if (finished) throw std::runtime_error("TaskGroup is finished: no task can be added");
  if (aborting_) throw std::runtime_error("TaskGroup is shutting down: no task can be added");
}

// As in asyncio, what is ready already has its turn before the abort: tasks that fail in the same
// moment are all heard. The call holds the group.
void TaskGroup::member_failed() noexcept {
  {
    const SpinGuard guard(lock());
    if (aborting_ || std::exchange(abort_called_, true)) return;
  }
  hold();
  abort_call_.group = this;
  abort_call_.run = [](detail::Runnable& call) noexcept {
    auto& self = *static_cast<AbortCall&>(call).group;
    self.abort_with_parent();
    self.let_go();
  };
  detail::post(abort_call_, *detail::running_loop());
}

void TaskGroup::abort_with_parent() noexcept {
  {
    const SpinGuard guard(lock());
    if (aborting_ || parent_cancel_requested_) return;
    parent_cancel_requested_ = aborting_ = true;
  }
  cancel_members();
  // The parent may be anywhere in the body, or in leave(); leave() takes this cancel back.
  parent().cancel({});
}

void TaskGroup::abort() noexcept {
  {
    const SpinGuard guard(lock());
    if (aborting_) return;
    aborting_ = true;
  }
  cancel_members();
}

void TaskGroup::cancel_members() noexcept {
  std::vector<detail::Ref<TaskBase>> members;
  for_each([&](TaskBase& task) { members.emplace_back(&task); });
  // The list is newest first; asyncio's set has no order, but the oldest first reads best.
  for (auto task = members.rbegin(); task != members.rend(); ++task) (*task)->cancel({});
}

void TaskGroup::parent_cancelled(std::exception_ptr error) noexcept {
  {
    // While aborting it may be our own cancel, and another has nothing to add.
    const SpinGuard guard(lock());
    if (!aborting_) cancellation_ = std::move(error);
  }
  if (cancellation_) abort();
}

Coro<> TaskGroup::leave(std::exception_ptr error) {
  if (error) {
    if (detail::is_cancelled_error(error)) cancellation_ = error;
    note_base_error(error);
    abort();
  }
  co_await join();
  finish(std::move(error));
}

void TaskGroup::finish(std::exception_ptr error) {
  if (base_error_) std::rethrow_exception(base_error_);
  // Our own cancel of the parent is taken back; if it was the only one, nothing was cancelled
  // from outside.
  if (parent_cancel_requested_ && parent().uncancel() == 0) cancellation_ = nullptr;
  if (cancellation_ && errors_.empty()) {
    // A scope's cancellation does not stand for an edge that came while we waited.
    if (!detail::is_level_cancelled_error(cancellation_)) parent().absorb_edge();
    std::rethrow_exception(cancellation_);
  }
  // The body may have awaited the task that failed: that is one failure.
  const bool seen = std::find(errors_.begin(), errors_.end(), error) != errors_.end();
  if (error && !seen && !detail::is_cancelled_error(error)) errors_.push_back(std::move(error));
  if (errors_.empty()) return;
  // Cancelled from outside as well: the failures are thrown, and the cancel comes again at the
  // next suspension, counted once as before.
  if (parent().cancelling() > 0) {
    parent().uncancel();
    parent().cancel({});
  }
  throw ExceptionGroup("unhandled errors in a TaskGroup", std::move(errors_));
}

}  // namespace coil
