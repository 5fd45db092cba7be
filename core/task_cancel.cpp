// Both kinds of cancellation, from the request to the throw.
//
// Edge (Task::cancel): counted, delivered once, at the suspension in progress or else the next.
// Level (a scope): the scope stays cancelled, so every suspension below it throws.
#include <coil/detail/cancel_work.hpp>
#include <coil/detail/check.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/exceptions.hpp>
#include <utility>
#include <vector>

#include "cancel_path.hpp"

namespace coil::detail {
namespace {

Box<std::string> copy_message(std::string_view message) {
  return Box<std::string>(message.empty() ? nullptr : new std::string(message));
}

}  // namespace

// Clears Level before it looks: a canceller that comes after the look sets it again, and
// TaskState::suspend() will see that.
bool TaskBase::take_level() noexcept {
  if (!state_.take(TaskState::LevelBit)) return false;
  if (!effectively_cancelled(scope_)) return false;
  state_.flag(TaskState::LevelBit);
  return true;
}

Abort TaskBase::take_cancel() noexcept {
  if (!state_.cancel_pending()) return Abort::None;
  if (state_.take(TaskState::EdgeBit)) return Abort::Edge;
  return take_level() ? Abort::Level : Abort::None;
}

bool TaskBase::cancel_on_entry(Suspension& leaf) noexcept {
  if (leaf.kind->cancel == nullptr || leaf.kind->armed_first) return false;
  leaf.aborted = take_cancel();
  return leaf.aborted != Abort::None;
}

// TaskState::suspend() gave CancelFirst: the task is suspended, and this thread holds it. False:
// the wake-up has come meanwhile, so the task goes on running here.
bool TaskBase::cancel_own_leaf(Suspension& leaf) noexcept {
  if (leaf.kind->cancel == nullptr) return state_.end_hook(0) == TaskState::Wake::Left;
  for (;;) {
    const Abort kind = take_cancel();
    if (kind == Abort::None) {
      // Only a stale Level. One that was set since must not be missed: nobody else may hook now.
      switch (state_.abandon_hook()) {
        case TaskState::Abandon::Retry:
          continue;
        case TaskState::Abandon::Schedule:
          return false;
        case TaskState::Abandon::Left:
          return true;
      }
    }
    const Ref<TaskBase> self(this);
    HookResult result = leaf.kind->cancel(leaf, kind);
    const bool pending_edge = !result.taken && kind == Abort::Edge;
    const bool woken =
        state_.end_hook(pending_edge ? TaskState::EdgeBit : 0) == TaskState::Wake::Schedule;
    carry_on(*this, kind, std::move(result));
    return !woken;
  }
}

HookResult TaskBase::run_hook(Abort kind, Reach reach) noexcept {
  const LeafKind& leaf = *leaf_->kind;
  const auto hook = reach == Reach::Here && leaf.leave != nullptr ? leaf.leave : leaf.cancel;
  HookResult result;
  if (hook != nullptr) result = hook(*leaf_, kind);
  const bool pending_edge = !result.taken && kind == Abort::Edge;
  if (state_.end_hook(pending_edge ? TaskState::EdgeBit : 0) == TaskState::Wake::Schedule)
    make_ready(*this);
  return result;
}

// A cancel that came while the task was held found nobody to hand it to but us.
void TaskBase::let_go() noexcept {
  const bool abortable = leaf_->kind->cancel != nullptr;
  for (;;) {
    if (!abortable) {
      if (state_.end_hook(0) == TaskState::Wake::Schedule) make_ready(*this);
      return;
    }
    switch (state_.abandon_hook()) {
      case TaskState::Abandon::Schedule:
        return make_ready(*this);
      case TaskState::Abandon::Left:
        return;
      case TaskState::Abandon::Retry:
        break;
    }
    const Abort kind = take_cancel();
    if (kind == Abort::None) continue;
    const Ref<TaskBase> self(this);
    return carry_on(*this, kind, run_hook(kind, Reach::Awaited));
  }
}

// Runs the hooks of what a hook has asked and holds, and of what those await, without recursion: a
// chain may be long. Tasks that await each other in a circle could wait for ever: the first one
// that is met again gets the cancel itself.
void TaskBase::carry_on(TaskBase& origin, Abort kind, HookResult next) noexcept {
  if (!next.forward && next.also.empty()) return;
  struct Awaited {
    FutureRef task;
    std::size_t from;
  };
  CancelPath path(origin);
  std::vector<Awaited> more;
  FutureRef held = std::move(next.forward);
  const auto put_off = [&](std::vector<FutureRef>& tasks) {
    for (FutureRef& task : tasks) more.push_back({std::move(task), path.chain()});
  };
  put_off(next.also);
  for (std::size_t at = 0;;) {
    if (!held) {
      if (at == more.size()) return;
      path.begin_chain(more[at].from);
      held = std::move(more[at++].task);
    }
    TaskBase& task = *held->as_task();
    HookResult after;
    if (path.go_on_to(task)) {
      after = task.run_hook(Abort::Edge, Reach::Awaited);
    } else {
      task.take_back_request();
      after = task.run_hook(&task == &origin ? kind : Abort::Edge, Reach::Here);
    }
    put_off(after.also);
    held = std::move(after.forward);
  }
}

// The second request that one cancel made of a task is not counted.
void TaskBase::take_back_request() noexcept {
  const SpinGuard guard(tree_lock_);
  cancels_.store(cancelling() - 1, std::memory_order_relaxed);
}

// Asked here and not later, while the waiter is held: whether the awaited one takes the cancel
// decides whether the waiter's has been delivered, and the waiter may not go on before that.
TaskState::Request TaskBase::request_for(TaskBase& waiter, Abort kind) noexcept {
  Box<std::string> message;
  if (kind == Abort::Edge) {
    const SpinGuard guard(waiter.tree_lock_);
    if (waiter.cancel_message_) message = copy_message(*waiter.cancel_message_);
  }
  return begin_edge(std::move(message), false);
}

TaskState::Request TaskBase::begin_edge(Box<std::string> message, bool own) noexcept {
  const SpinGuard guard(tree_lock_);
  const auto request = state_.request(TaskState::EdgeBit);
  if (request == TaskState::Request::Done) return request;
  cancels_.store(cancelling() + 1, std::memory_order_relaxed);
  edge_undelivered_ = true;
  edge_own_ = own;
  cancel_message_.swap(message);
  return request;
}

bool TaskBase::cancel(std::string_view message) {
  const Ref<TaskBase> self(this);
  switch (begin_edge(copy_message(message), running_task() == this)) {
    case TaskState::Request::Done:
      return false;
    case TaskState::Request::Flagged:
      return true;
    case TaskState::Request::Hook:
      end_edge_hook();
      return true;
  }
  __builtin_unreachable();
}

void TaskBase::request_edge(CancelWork& work) noexcept {
  if (begin_edge({}, false) == TaskState::Request::Hook) work.add_edge_hook(*this);
}

int TaskBase::cancelling() const noexcept { return cancels_.load(std::memory_order_relaxed); }

int TaskBase::uncancel() noexcept {
  const SpinGuard guard(tree_lock_);
  const int left = cancelling() - 1;
  if (left < 0) return 0;
  cancels_.store(left, std::memory_order_relaxed);
  if (left == 0) {
    (void)state_.take(TaskState::EdgeBit);
    edge_undelivered_ = false;
  }
  return left;
}

bool TaskBase::edge_undelivered() const noexcept {
  const SpinGuard guard(tree_lock_);
  return edge_undelivered_;
}

void TaskBase::edge_swallowed() noexcept {
  const SpinGuard guard(tree_lock_);
  edge_undelivered_ = false;
}

CancelledError TaskBase::take_cancellation(Abort abort) {
  // Edge wins: no scope may catch it. A second edge that came meanwhile is the same exception.
  if (state_.take(TaskState::EdgeBit)) abort = Abort::Edge;
  if (abort == Abort::Level)
    return CancelledErrorAccess::make(cancel_reason(scope_), CancelOrigin::Level);
  return edge_error();
}

CancelledError TaskBase::edge_error() {
  Box<std::string> message;
  {
    const SpinGuard guard(tree_lock_);
    message = std::move(cancel_message_);
    edge_undelivered_ = false;
  }
  return CancelledErrorAccess::make(message ? *message : "", CancelOrigin::Edge);
}

std::exception_ptr TaskBase::cancelled_before_start() noexcept {
  if (!state_.take(TaskState::EdgeBit)) return nullptr;
  return std::make_exception_ptr(edge_error());
}

std::exception_ptr TaskBase::cancelled_at_end() noexcept {
  {
    const SpinGuard guard(tree_lock_);
    if (!edge_own_) return nullptr;
  }
  return cancelled_before_start();
}

void TaskBase::deliver_level(Ref<TaskBase> task) noexcept {
  std::vector<Ref<TaskBase>> pending;
  pending.push_back(std::move(task));
  while (!pending.empty()) {
    const Ref<TaskBase> next = std::move(pending.back());
    pending.pop_back();
    bool hook = false;
    {
      const SpinGuard guard(next->tree_lock_);
      if (effectively_cancelled(next->scope_))
        hook = next->state_.request(TaskState::LevelBit) == TaskState::Request::Hook;
      for (GroupNode* group = next->groups_; group != nullptr; group = group->next_open) {
        if (!effectively_cancelled(group->scope)) continue;
        group->for_each([&](TaskBase& member) { pending.emplace_back(&member); });
      }
    }
    if (hook) carry_on(*next, Abort::Level, next->run_hook(Abort::Level, Reach::Awaited));
  }
}

void TaskBase::end_edge_hook() noexcept {
  carry_on(*this, Abort::Edge, run_hook(Abort::Edge, Reach::Awaited));
}

void CancelWork::add_level(TaskBase& task) { level_.emplace_back(&task); }
void CancelWork::add_edge_hook(TaskBase& task) { edge_hooks_.emplace_back(&task); }

void CancelWork::add_wake(TaskBase& task) { wakes_.emplace_back(&task); }

void CancelWork::run() noexcept {
  for (auto& task : edge_hooks_) task->end_edge_hook();
  for (auto& task : level_) TaskBase::deliver_level(std::move(task));
  for (auto& task : wakes_) task->wake();
  edge_hooks_.clear();
  level_.clear();
  wakes_.clear();
}

}  // namespace coil::detail
