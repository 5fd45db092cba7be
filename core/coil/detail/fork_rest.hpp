// What a fork has beyond its children's frames, once it is not the usual one: a child was taken by
// somebody and is a branch, a child failed, the task has a context or is bound to its loop, it
// suspended or was cancelled.
//
// Who may touch what: branches' tasks and cancel_branches_ under lock_ until all have joined;
// added_ under the parent's tree_lock; what is not named here belongs to the parent's task. The
// parent cannot leave the await before its children have ended, so its scopes stay, and a scope's
// cancellation reaches the branches through a group that the first of them adds to the parent.
// Who is the last to join: join_count.hpp.
#pragma once

#include <coil/detail/context_slot.hpp>
#include <coil/detail/fork_wait.hpp>
#include <coil/detail/join_count.hpp>
#include <coil/detail/scope_node.hpp>
#include <coil/detail/spin_lock.hpp>
#include <coil/detail/suspension.hpp>
#include <cstdint>
#include <span>

namespace coil::detail {

// Its branches are the members of a group of the parent's, which this is.
class ForkRest final : public Suspension, private GroupNode {
 public:
  explicit ForkRest(ForkWait& fork) noexcept;
  ~ForkRest();

  // The parent's.
  std::uint32_t current = 0;
  std::uint32_t missing = 0;      // children that were not there
  std::uint32_t pushed_from = 1;  // the children from here on were pushed
  bool pinned = false;            // the children are tasks of this loop from the beginning
  bool cancelled = false;         // a child ended with the task's cancellation
  ContextSnapshot context;

  [[nodiscard]] TaskBase& parent() const noexcept { return *fork_.join_.promise.task; }
  [[nodiscard]] ForkedChild& child(std::uint32_t index) const noexcept {
    return fork_.shape_->children(fork_)[index];
  }
  [[nodiscard]] CoroPromiseBase& promise(std::uint32_t index) const noexcept {
    return ForkWait::promise_of(child(index));
  }
  [[nodiscard]] std::span<ForkBranch> branches() const noexcept {
    return {fork_.shape_->branches(fork_), fork_.shape_->count};
  }

  // Any thread. Afterwards all of this may be gone.
  void start_branch(ForkBranch& branch, bool eager) noexcept;
  static void run_branch(Runnable& branch) noexcept;

  void fail(ForkBranch& branch) noexcept {
    branch.failed = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  [[nodiscard]] bool any_failed() const noexcept {
    return failures_.load(std::memory_order_relaxed) != 0;
  }
  // The parent, once. True: all are there.
  [[nodiscard]] bool settle() noexcept {
    return joined_.settle(static_cast<std::int32_t>(missing));
  }
  void cancel_branches() noexcept;
  void leave_group() noexcept;
  // Why the fork failed, or nullptr.
  [[nodiscard]] ForkBranch* culprit() const noexcept;

 private:
  void add_member(TaskBase& task) override;
  void member_done(TaskBase& task) noexcept override;
  [[nodiscard]] TaskBase* awaiting_parent() const noexcept override { return &parent(); }
  void branch_ended() noexcept;

  static HookResult ask_branches(Suspension& leaf, Abort kind) noexcept;
  static const LeafKind leaf_kind;

  ForkWait& fork_;
  bool cancel_branches_ = false;  // also those that somebody is about to start
  bool added_ = false;            // we are among the parent's groups
  SpinLock lock_;
  Atomic<std::uint32_t> failures_{0};
  JoinCount joined_;
};

}  // namespace coil::detail
