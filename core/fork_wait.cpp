#include <coil/detail/check.hpp>
#include <coil/detail/fork_wait.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/scope_node.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/exceptions.hpp>
#include <new>
#include <utility>
#include <vector>

// The call after it takes the place of this one, so that a chain of coroutines needs no stack.
#if defined(__clang__)
#define COIL_TAIL_CALL [[clang::musttail]] return
#define COIL_ANY_FUNCTION [[clang::no_sanitize("function")]]
#else
#define COIL_TAIL_CALL return
#define COIL_ANY_FUNCTION
#endif

namespace coil::detail {

// The branches of one fork, as members of a group of the parent's.
class ForkGroup final : public GroupNode {
 public:
  explicit ForkGroup(ForkWait& wait) noexcept : fork_(wait) {}

  void add_member(TaskBase& task) override {
    const SpinGuard guard(lock());
    link(task);
  }
  void member_done(TaskBase& task) noexcept override {
    {
      const SpinGuard guard(lock());
      unlink(task);
    }
    if (task.phase() != FutureBase::Phase::Value) fork_.branch_failed(task);
    fork_.branch_ended();
  }
  [[nodiscard]] TaskBase* awaiting_parent() const noexcept override { return fork_.task; }

 private:
  ForkWait& fork_;
};

ForkWait::JoinFrame::JoinFrame(ForkWait& wait) noexcept
    : promise(std::source_location::current()), fork(&wait) {
  resume = &child_ended;
}

constinit const LeafKind ForkWait::leaf_kind{"fork", &ForkWait::ask_branches, nullptr, true};

ForkWait::ForkWait(ForkBranch* branches, std::uint32_t count) noexcept
    : Suspension(leaf_kind),
      branches_(branches),
      count_(count),
      pushed_from_(count),
      join_(*this) {}

ForkWait::~ForkWait() {
  COIL_CHECK(group_ == nullptr, "a fork is destroyed while its children run");
}

// The parent's side.

// Pushed in reverse, so that they are taken in order, and the last is stolen first.
std::coroutine_handle<> ForkWait::start(std::coroutine_handle<> parent, TaskBase& task) noexcept {
  Suspension::task = &task;
  join_.promise.continuation = parent;
  join_.promise.task = &task;
  scope_ = task.scope();
  if (context_in_use()) [[unlikely]]
    context_ = task.context.snapshot();
  for (std::uint32_t i = 0; i < count_; ++i) {
    branches_[i].fork = this;
    branches_[i].run = &run_branch;
  }
  pinned_ = task.affinity() == Affinity::loop && loop_shares();
  if (pinned_) [[unlikely]] {
    missing_ = count_ - 1;
    for (std::uint32_t i = 1; i < count_; ++i) start_branch(branches_[i], false);
  } else {
    // What cannot be pushed is entered directly, as if nobody else had wanted it.
    while (pushed_from_ > 1 && push_fork(branches_[pushed_from_ - 1])) --pushed_from_;
  }
  return enter(branches_[0]);
}

std::coroutine_handle<> ForkWait::enter(ForkBranch& child) noexcept {
  CoroPromiseBase& promise = child.promise();
  promise.continuation = join_.handle();
  promise.task = Suspension::task;
  return child.frame;
}

// A coroutine's function has no type that the sanitizer could check.
COIL_ANY_FUNCTION void ForkWait::child_ended(FrameHeader* frame) {
  ForkWait& self = *static_cast<JoinFrame*>(frame)->fork;
  self.end_inline(self.branches_[self.current_]);
  auto* next = static_cast<FrameHeader*>(self.next_child().address());
  COIL_TAIL_CALL next->resume(next);
}

void ForkWait::end_inline(ForkBranch& child) noexcept {
  if (context_in_use()) [[unlikely]]
    Suspension::task->context.rewind(context_);
  const std::exception_ptr& error = child.promise().error;
  if (!error) [[likely]]
    return;
  child.failed = count_failure();
  Suspension::task->carry_trace_on();
  if (is_cancelled_error(error) && is_cancelled()) cancelled_ = true;
}

// Not every CancelledError is the task's own: it may have awaited what somebody else cancelled.
bool ForkWait::is_cancelled() const noexcept {
  const TaskBase& self = *Suspension::task;
  return self.cancelling() > 0 || effectively_cancelled(self.scope());
}

std::coroutine_handle<> ForkWait::next_child() noexcept {
  while (!pinned_ && ++current_ < count_) {
    ForkBranch& child = branches_[current_];
    if (current_ >= pushed_from_ && !take(child)) {
      ++missing_;
    } else if (!cancelled_) [[likely]] {
      return enter(child);
    } else {
      child.kind->drop(child);  // as a task that is cancelled before it starts
    }
  }
  return missing_ == 0 ? join_.promise.leave() : await_branches();
}

// What lies above the child was pushed by others on this loop, or the child is not here.
bool ForkWait::take(ForkBranch& child) noexcept {
  Runnable* item = take_fork();
  if (item == &child) [[likely]]
    return true;
  if (item != nullptr) COIL_CHECK(push_fork(*item), "a deque has no room for what it just held");
  return false;
}

std::coroutine_handle<> ForkWait::await_branches() noexcept {
  if (cancelled_) cancel_branches();
  const auto parent = join_.promise.continuation;
  const auto missing = static_cast<std::int32_t>(missing_);
  const bool suspended = Suspension::task->suspend(
      parent, *this, [this, missing] { return !joined_.settle(missing); });
  return suspended ? std::noop_coroutine() : parent;
}

// The branches' side.

void ForkWait::run_branch(Runnable& branch) noexcept {
  auto& self = static_cast<ForkBranch&>(branch);
  self.fork->start_branch(self, true);
}

void ForkWait::start_branch(ForkBranch& branch, bool eager) noexcept {
  TaskBase* made = nullptr;
  try {
    made = branch.kind->make_task(branch);
  } catch (...) {
    branch.promise().error = std::current_exception();
    branch.failed = count_failure();
    return branch_ended();
  }
  TaskBase& parent = *Suspension::task;
  made->set_affinity(parent.affinity());
  made->context.inherit(context_);
  made->keep_context();
  ForkGroup* group = nullptr;
  bool cancel = false;
  {
    const SpinGuard guard(lock_);
    branch.task = FutureRef(made, AdoptRef{});
    static_assert(sizeof(ForkGroup) <= sizeof group_memory_ &&
                  alignof(ForkGroup) <= alignof(void*));
    if (group_ == nullptr) group_ = ::new (group_memory_) ForkGroup(*this);
    group = group_;
    cancel = cancel_branches_;
  }
  parent.add_group(*group, scope_, added_);
  made->join_group(*group);
  if (cancel) (void)made->cancel({});
  start_task(*made, nullptr, eager);
}

void ForkWait::branch_failed(const TaskBase& task) noexcept {
  const SpinGuard guard(lock_);
  for (std::uint32_t i = 0; i < count_; ++i)
    if (branches_[i].task.get() == &task) branches_[i].failed = count_failure();
}

// Afterwards all of this may be gone.
void ForkWait::branch_ended() noexcept {
  TaskBase* parent = Suspension::task;
  if (joined_.arrive()) parent->wake();
}

// Cancelling.

// Not through the hook: the task itself is cancelled already.
void ForkWait::cancel_branches() noexcept {
  std::vector<FutureRef> started;
  {
    const SpinGuard guard(lock_);
    cancel_branches_ = true;
    for (std::uint32_t i = 0; i < count_; ++i)
      if (branches_[i].task) started.push_back(branches_[i].task);
  }
  for (auto& branch : started) (void)branch->cancel({});
}

// A scope's cancellation finds the branches by itself; the task's own is handed to each.
HookResult ForkWait::ask_branches(Suspension& leaf, Abort kind) noexcept {
  auto& self = static_cast<ForkWait&>(leaf);
  HookResult result;
  if (self.joined_.complete()) return result;
  if (kind == Abort::Level) {
    if (self.aborted == Abort::None) self.aborted = kind;
    result.taken = true;
    return result;
  }
  std::vector<FutureRef> started;
  {
    const SpinGuard guard(self.lock_);
    self.cancel_branches_ = true;
    for (std::uint32_t i = 1; i < self.count_; ++i) {
      ForkBranch& branch = self.branches_[i];
      if (branch.task) started.push_back(branch.task);
    }
    result.taken = started.size() < self.missing_;  // the others end unstarted
  }
  for (auto& branch : started) {
    const auto request = branch->as_task()->request_for(*self.Suspension::task, kind);
    if (request == TaskState::Request::Done) continue;
    result.taken = true;
    if (request == TaskState::Request::Hook) result.also.push_back(std::move(branch));
  }
  if (result.taken) self.aborted = kind;
  return result;
}

// The end.

void ForkWait::leave_group() noexcept {
  if (group_ == nullptr) return;
  Suspension::task->pop_group(*group_);
  std::exchange(group_, nullptr)->~ForkGroup();
}

// The task's own cancellation must go on; else the first that failed for another reason counts.
ForkBranch* ForkWait::culprit() const noexcept {
  ForkBranch* first = nullptr;
  bool first_cancelled = false;
  for (std::uint32_t i = 0; i < count_; ++i) {
    ForkBranch& branch = branches_[i];
    if (branch.failed == 0) continue;
    const auto& error = branch.task ? branch.task->error() : branch.promise().error;
    const bool cancelled = is_cancelled_error(error);
    if (cancelled && !branch.task && cancelled_) return &branch;
    if (first == nullptr || (first_cancelled && !cancelled) ||
        (first_cancelled == cancelled && branch.failed < first->failed)) {
      first = &branch;
      first_cancelled = cancelled;
    }
  }
  return first;
}

void ForkWait::finish() {
  leave_group();
  for (std::uint32_t i = 0; i < count_; ++i)
    if (branches_[i].task) branches_[i].task->mark_retrieved();
  TaskBase& self = *Suspension::task;
  const ForkBranch* branch = culprit();
  if (branch == nullptr && aborted == Abort::None) return;
  const bool stolen = branch != nullptr && branch->task;
  if (branch == nullptr || (stolen && branch->task->cancelled())) {
    // A branch may see that a scope was cancelled before the task that waits for it does.
    if (aborted == Abort::None && effectively_cancelled(self.scope())) aborted = Abort::Level;
    if (aborted != Abort::None) self.throw_cancelled(aborted);
  }
  if (aborted == Abort::Edge) {
    // A branch that made another error of the cancel has had it; else it comes later.
    if (stolen && !branch->task->as_task()->edge_undelivered()) {
      self.edge_swallowed();
    } else {
      self.defer_edge();
    }
  }
  if (!stolen) std::rethrow_exception(std::move(branch->promise().error));
  TaskBase::adopt_trace(*branch->task);
  std::rethrow_exception(branch->task->error());
}

}  // namespace coil::detail
