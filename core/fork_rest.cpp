#include <coil/detail/check.hpp>
#include <coil/detail/fork_rest.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/exceptions.hpp>
#include <utility>
#include <vector>

namespace coil::detail {

constinit const LeafKind ForkRest::leaf_kind{"fork", &ForkRest::ask_branches, nullptr, true};

ForkRest::ForkRest(ForkWait& fork) noexcept : Suspension(leaf_kind), fork_(fork) {}

ForkRest::~ForkRest() { COIL_CHECK(!added_, "a fork is destroyed while its children run"); }

// The branches' side.

void ForkRest::run_branch(Runnable& branch) noexcept {
  auto& self = static_cast<ForkBranch&>(branch);
  self.fork->rest().start_branch(self, true);
}

void ForkRest::start_branch(ForkBranch& branch, bool eager) noexcept {
  TaskBase* made = nullptr;
  try {
    made = fork_.shape_->make_task[branch.index](child(branch.index).frame);
  } catch (...) {
    promise(branch.index).error = std::current_exception();
    fail(branch);
    return branch_ended();
  }
  made->set_affinity(parent().affinity());
  made->context.inherit(context);
  made->keep_context();
  bool cancel = false;
  {
    const SpinGuard guard(lock_);
    branch.task = FutureRef(made, AdoptRef{});
    cancel = cancel_branches_;
  }
  parent().add_group(*this, fork_.scope_, added_);
  made->join_group(*this);
  if (cancel) (void)made->cancel({});
  start_task(*made, nullptr, eager);
}

void ForkRest::add_member(TaskBase& task) {
  const SpinGuard guard(lock());
  link(task);
}

void ForkRest::member_done(TaskBase& task) noexcept {
  {
    const SpinGuard guard(lock());
    unlink(task);
  }
  if (task.phase() != FutureBase::Phase::Value) {
    const SpinGuard guard(lock_);
    for (ForkBranch& branch : branches())
      if (branch.task.get() == &task) fail(branch);
  }
  branch_ended();
}

void ForkRest::branch_ended() noexcept {
  TaskBase& waiting = parent();
  if (joined_.arrive()) waiting.wake();
}

// Cancelling.

// Not through the hook: the task itself is cancelled already.
void ForkRest::cancel_branches() noexcept {
  std::vector<FutureRef> started;
  {
    const SpinGuard guard(lock_);
    cancel_branches_ = true;
    for (ForkBranch& branch : branches())
      if (branch.task) started.push_back(branch.task);
  }
  for (auto& branch : started) (void)branch->cancel({});
}

// A scope's cancellation finds the branches by itself; the task's own is handed to each.
HookResult ForkRest::ask_branches(Suspension& leaf, Abort kind) noexcept {
  auto& self = static_cast<ForkRest&>(leaf);
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
    for (ForkBranch& branch : self.branches())
      if (branch.task) started.push_back(branch.task);
    result.taken = started.size() < self.missing;  // the others end unstarted
  }
  for (auto& branch : started) {
    const auto request = branch->as_task()->request_for(self.parent(), kind);
    if (request == TaskState::Request::Done) continue;
    result.taken = true;
    if (request == TaskState::Request::Hook) result.also.push_back(std::move(branch));
  }
  if (result.taken) self.aborted = kind;
  return result;
}

// The end.

void ForkRest::leave_group() noexcept {
  if (std::exchange(added_, false)) parent().pop_group(*this);
}

// The task's own cancellation must go on; else the first that failed for another reason counts.
ForkBranch* ForkRest::culprit() const noexcept {
  ForkBranch* first = nullptr;
  bool first_cancelled = false;
  for (ForkBranch& branch : branches()) {
    if (branch.failed == 0) continue;
    const auto& error = branch.task ? branch.task->error() : promise(branch.index).error;
    const bool is_cancelled = is_cancelled_error(error);
    if (is_cancelled && !branch.task && cancelled) return &branch;
    if (first == nullptr || (first_cancelled && !is_cancelled) ||
        (first_cancelled == is_cancelled && branch.failed < first->failed)) {
      first = &branch;
      first_cancelled = is_cancelled;
    }
  }
  return first;
}

}  // namespace coil::detail
