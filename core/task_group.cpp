#include <coil/detail/check.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/exception_group.hpp>
#include <coil/task_group.hpp>
#include <stdexcept>
#include <utility>

namespace coil {

using detail::SpinGuard;
using detail::TaskBase;

TaskGroup::~TaskGroup() {
  COIL_CHECK(members_ == 0, "a task group is destroyed while its tasks run");
}

void TaskGroup::enter(TaskBase& parent) {
  parent_ = &parent;
  parent.push_group(*this);
}

// One critical section: a task is either refused or on the list that an abort goes through.
void TaskGroup::add_member(TaskBase& task) {
  const SpinGuard guard(lock());
  if (finished_) throw std::runtime_error("TaskGroup is finished: no task can be added");
  if (aborting_) throw std::runtime_error("TaskGroup is shutting down: no task can be added");
  link(task);
  ++members_;
}

void TaskGroup::member_done(TaskBase& task) noexcept {
  if (task.phase() == detail::FutureBase::Phase::Exception) note_failure(task);
  detail::FutureRef all_done;
  {
    const SpinGuard guard(lock());
    unlink(task);
    if (--members_ == 0) all_done.swap(all_done_);
  }
  // From here on the group may be gone.
  if (all_done) all_done->finish_value();
}

// As in asyncio, what is ready already has its turn before the abort: tasks that fail in the same
// moment are all heard. The call counts as a member, so the group is still there.
void TaskGroup::abort_soon() noexcept {
  abort_call_.group = this;
  abort_call_.run = [](detail::Runnable& call) noexcept {
    auto& self = *static_cast<AbortCall&>(call).group;
    self.abort_with_parent();
    detail::FutureRef all_done;
    {
      const SpinGuard guard(self.lock());
      if (--self.members_ == 0) all_done.swap(self.all_done_);
    }
    if (all_done) all_done->finish_value();
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
  parent_->cancel({});
}

void TaskGroup::note_failure(TaskBase& task) noexcept {
  bool first = false;
  {
    const SpinGuard guard(lock());
    errors_.push_back(task.error());
    if (!base_error_ && detail::is_base_error(errors_.back())) base_error_ = errors_.back();
    first = !aborting_ && !std::exchange(abort_called_, true);
    if (first) ++members_;
  }
  if (first) abort_soon();
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

Coro<> TaskGroup::leave(std::exception_ptr error) {
  std::exception_ptr cancellation;
  if (error) {
    if (detail::is_cancelled_error(error)) cancellation = error;
    if (!base_error_ && detail::is_base_error(error)) base_error_ = error;
    abort();
  }
  for (;;) {
    detail::FutureRef all_done(new detail::FutureState<void>, detail::AdoptRef{});
    bool aborting = false;
    {
      const SpinGuard guard(lock());
      finished_ = members_ == 0;
      if (finished_) break;
      all_done_ = all_done;
      aborting = aborting_;
    }
    // Once aborting, there is nothing to do about another cancel but to go on waiting.
    try {
      co_await detail::FutureWait(all_done,
                                  aborting ? detail::joining_leaf : detail::shielded_leaf);
    } catch (const CancelledError&) {
      const SpinGuard guard(lock());
      if (!aborting_) cancellation = std::current_exception();
    }
    if (cancellation) abort();
  }
  parent_->pop_group(*this);
  finish(std::move(error), std::move(cancellation));
}

void TaskGroup::finish(std::exception_ptr error, std::exception_ptr cancellation) {
  if (base_error_) std::rethrow_exception(base_error_);
  // Our own cancel of the parent is taken back; if it was the only one, nothing was cancelled
  // from outside.
  if (parent_cancel_requested_ && parent_->uncancel() == 0) cancellation = nullptr;
  if (cancellation && errors_.empty()) {
    parent_->absorb_edge();
    std::rethrow_exception(cancellation);
  }
  if (error && !detail::is_cancelled_error(error)) errors_.push_back(std::move(error));
  if (errors_.empty()) return;
  // Cancelled from outside as well: the failures are thrown, and the cancel comes again at the
  // next suspension, counted once as before.
  if (parent_->cancelling() > 0) {
    parent_->uncancel();
    parent_->cancel({});
  }
  throw ExceptionGroup("unhandled errors in a TaskGroup", std::move(errors_));
}

}  // namespace coil
