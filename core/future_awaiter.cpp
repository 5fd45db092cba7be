#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/exceptions.hpp>

namespace coil::detail {
namespace {

FutureBase* awaited_future(const Suspension& leaf) noexcept {
  return &static_cast<const FutureWait&>(leaf).target();
}

// asyncio's rule: cancelling a task cancels what it awaits, and whether the task is cancelled then
// depends on how that ends.
HookResult forward_cancel(Suspension& leaf, Abort kind) noexcept {
  auto& wait = static_cast<FutureWait&>(leaf);
  HookResult result;
  if (TaskBase* target = wait.target().as_task()) {
    const auto request = target->request_for(*wait.Suspension::task, kind);
    if (request == TaskState::Request::Done) return result;  // the wake-up is on its way
    if (request == TaskState::Request::Hook) result.forward = FutureRef(target);
    wait.forwarded = true;
    result.taken = true;
  } else {
    result.taken = wait.target().cancel({});
  }
  if (result.taken && wait.aborted != Abort::Edge) wait.aborted = kind;
  return result;
}

HookResult leave_target(Suspension& leaf, Abort kind) noexcept {
  auto& wait = static_cast<FutureWait&>(leaf);
  HookResult result;
  result.taken = wait.target().completion().remove(wait);
  if (!result.taken) return result;  // done: the wake-up is on its way
  wait.aborted = kind;
  wait.forwarded = false;
  wait.Suspension::task->wake();
  return result;
}

}  // namespace

constinit const LeafKind future_leaf{"future", &forward_cancel, &awaited_future, true,
                                     &leave_target};
constinit const LeafKind shielded_leaf{"shield", &leave_target, &awaited_future};
constinit const LeafKind joining_leaf{"join", nullptr, &awaited_future};

FutureWait::FutureWait(FutureRef target, const LeafKind& kind) noexcept
    : Suspension(kind), target_(std::move(target)) {
  wake = &on_done;
}

TaskBase* FutureWait::level_cancelled_task() noexcept {
  TaskBase* self = running_task();
  return self != nullptr && effectively_cancelled(self->scope()) ? self : nullptr;
}

void FutureWait::on_done(FutureWaiter& waiter) noexcept {
  static_cast<FutureWait&>(waiter).task->wake();
}

// A target that was asked to cancel itself decides: it may have swallowed that. If it ended before
// the cancel reached it, the waiter's own comes at the next suspension. A target that was left
// alone may be done all the same by now, but the cancel has been taken, and must show.
bool FutureWait::cancel_shows() noexcept {
  if (!forwarded || target_->cancelled()) return true;
  if (aborted != Abort::Edge) return false;
  if (target_->as_task()->edge_undelivered()) {
    task->defer_edge();
  } else {
    task->edge_swallowed();
  }
  return false;
}

void FutureWait::check_abort() {
  if (aborted != Abort::None && cancel_shows()) task->throw_cancelled(aborted);
}

}  // namespace coil::detail
