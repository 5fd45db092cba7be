// The parent's side of a fork that is not the usual one.
#include <coil/detail/check.hpp>
#include <coil/detail/fork_rest.hpp>
#include <coil/detail/fork_wait.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/exceptions.hpp>
#include <memory>
#include <new>
#include <utility>

namespace coil::detail {

ForkRest& ForkWait::rest() noexcept {
  static_assert(sizeof(ForkRest) <= rest_size && alignof(ForkRest) <= alignof(void*));
  rest_made_.need([this] {
    ForkBranch* branches = shape_->branches(*this);
    for (std::uint32_t i = 0; i < shape_->count; ++i) {
      ForkBranch& branch = *::new (static_cast<void*>(branches + i)) ForkBranch;
      branch.run = &ForkRest::run_branch;
      branch.fork = this;
      branch.index = i;
    }
    ::new (static_cast<void*>(rest_memory_)) ForkRest(*this);
  });
  return *std::launder(reinterpret_cast<ForkRest*>(rest_memory_));
}

void ForkWait::destroy_rest() noexcept {
  ForkRest& made = rest();
  std::destroy(made.branches().begin(), made.branches().end());
  made.~ForkRest();
}

Runnable& ForkWait::branch_of(ForkedChild& child) noexcept {
  auto* join = static_cast<FrameHeader*>(promise_of(child).continuation.address());
  ForkWait& self = of(join);
  return self.rest().branches()[static_cast<std::size_t>(&child - self.shape_->children(self))];
}

void ForkWait::begin_unusually() noexcept {
  ForkRest& made = rest();
  join_.resume = &child_ended;
  const TaskBase& task = made.parent();
  made.context = task.context.snapshot();
  made.pinned = task.affinity() == Affinity::loop && loop_shares();
  const std::uint32_t count = shape_->count;
  if (made.pinned) {
    made.missing = count - 1;
    for (ForkBranch& branch : made.branches().subspan(1)) made.start_branch(branch, false);
    return;
  }
  made.pushed_from = count;
  while (made.pushed_from > 1 && push_fork(made.child(made.pushed_from - 1))) --made.pushed_from;
}

// They are entered directly, as if nobody else had wanted them.
void ForkWait::push_no_more(std::uint32_t pushed_from) noexcept {
  rest().pushed_from = pushed_from;
  join_.resume = &child_ended;
}

void ForkWait::never_destroyed(FrameHeader*) noexcept {
  COIL_CHECK(false, "a fork is destroyed as if it were a coroutine");
}

void ForkWait::note_failure(const PromiseBase& failed) noexcept {
  if (!failed.continuation || !is_join(failed.continuation)) return;
  ForkWait& self = of(static_cast<FrameHeader*>(failed.continuation.address()));
  const ForkedChild* children = self.shape_->children(self);
  for (std::uint32_t i = 0; i < self.shape_->count; ++i)
    if (children[i].frame == failed.frame()) self.note_unusual(i);
}

void ForkWait::note_unusual(std::uint32_t child) noexcept {
  rest().current = child;
  join_.resume = &child_ended;
}

COIL_ANY_FUNCTION void ForkWait::child_ended(FrameHeader* frame) {
  ForkWait& self = of(frame);
  ForkRest& rest = self.rest();
  self.end_inline(rest, rest.current);
  auto* next = static_cast<FrameHeader*>(self.next_child(rest).address());
  COIL_TAIL_CALL next->resume(next);
}

void ForkWait::end_inline(ForkRest& rest, std::uint32_t child) noexcept {
  TaskBase& task = rest.parent();
  if (context_in_use()) task.context.rewind(rest.context);
  const std::exception_ptr& error = rest.promise(child).error;
  if (!error) return;
  rest.fail(rest.branches()[child]);
  task.carry_trace_on();
  if (is_cancelled_error(error) && is_cancelled()) rest.cancelled = true;
}

// Not every CancelledError is the task's own: it may have awaited what somebody else cancelled.
bool ForkWait::is_cancelled() const noexcept {
  const TaskBase& task = *join_.promise.task;
  return task.cancelling() > 0 || effectively_cancelled(task.scope());
}

std::coroutine_handle<> ForkWait::next_child(ForkRest& rest) noexcept {
  while (!rest.pinned && ++rest.current < shape_->count) {
    ForkedChild& child = rest.child(rest.current);
    if (rest.current >= rest.pushed_from && !take_fork(child)) {
      ++rest.missing;
    } else if (!rest.cancelled) {
      return child.frame;
    }  // else as a task that is cancelled before it starts: it is destroyed with the fork
  }
  if (rest.missing == 0) return join_.promise.leave();
  if (rest.cancelled) rest.cancel_branches();
  const auto parent = join_.promise.continuation;
  const bool suspended = rest.parent().suspend(parent, rest, [&rest] { return !rest.settle(); });
  return suspended ? std::noop_coroutine() : parent;
}

void ForkWait::finish() {
  ForkRest& rest = this->rest();
  rest.leave_group();
  if (rest.missing == 0 && !rest.any_failed() && rest.aborted == Abort::None) return;
  for (ForkBranch& branch : rest.branches())
    if (branch.task) branch.task->mark_retrieved();
  TaskBase& self = rest.parent();
  const ForkBranch* culprit = rest.culprit();
  if (culprit == nullptr && rest.aborted == Abort::None) return;
  const bool taken = culprit != nullptr && culprit->task;
  if (culprit == nullptr || (taken && culprit->task->cancelled())) {
    // A branch may see that a scope was cancelled before the task that waits for it does.
    if (rest.aborted == Abort::None && effectively_cancelled(self.scope()))
      rest.aborted = Abort::Level;
    if (rest.aborted != Abort::None) self.throw_cancelled(rest.aborted);
  }
  if (rest.aborted == Abort::Edge) {
    // A branch that made another error of the cancel has had it; else it comes later.
    if (taken && !culprit->task->as_task()->edge_undelivered()) {
      self.edge_swallowed();
    } else {
      self.defer_edge();
    }
  }
  if (!taken) std::rethrow_exception(std::move(rest.promise(culprit->index).error));
  TaskBase::adopt_trace(*culprit->task);
  std::rethrow_exception(culprit->task->error());
}

}  // namespace coil::detail
