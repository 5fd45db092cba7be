// How a coroutine forks and joins, whatever the types of its children.
//
// The first child is entered at once, in the parent's task; the others lie in the loop's fork
// deque meanwhile. When a child has ended, control comes to the join frame, which takes the next
// child out of the deque and enters it, still in the parent's task: no task is made and no atomic
// word of ours is touched. A child that is not there was taken by somebody: another loop, or this
// one while the parent was suspended; or it lies in the deque of the loop that the parent has left.
// It runs as a task of its own, a branch, and the parent waits for the branches at the end. Who is
// the last of them: join_count.hpp.
//
// Who may touch what: branches_[i].task and cancel_branches_ under lock_ until all have joined;
// added_ under the parent's tree_lock; what is not named here belongs to the parent's task. The
// parent cannot leave the await before its children have ended, so its scopes stay, and a scope's
// cancellation reaches the branches through a group that the first of them adds to the parent.
// Kept by tests/core/fork_test.cpp and tests/core/fork_stress.cpp.
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/context_slot.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/join_count.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/runnable.hpp>
#include <coil/detail/spin_lock.hpp>
#include <coil/detail/suspension.hpp>
#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace coil::detail {

class ForkGroup;
class ForkWait;
struct ForkBranch;

// What is done with a child of a known type.
struct ForkKind {
  // Makes the coroutine a task, which takes it over. Throws std::bad_alloc, and then it does not.
  TaskBase* (*make_task)(ForkBranch& branch);
  // The coroutine is destroyed unstarted.
  void (*drop)(ForkBranch& branch) noexcept;
};

struct ForkBranch : Runnable {
  ForkBranch(const ForkKind& k, void* c, std::coroutine_handle<> f) noexcept
      : kind(&k), coro(c), frame(f) {}
  [[nodiscard]] CoroPromiseBase& promise() const noexcept {
    return static_cast<CoroPromiseBase&>(PromiseBase::of(frame));
  }

  const ForkKind* kind;
  void* coro;  // the Coro<T>
  std::coroutine_handle<> frame;
  ForkWait* fork = nullptr;
  FutureRef task;            // of a child that somebody took
  std::uint32_t failed = 0;  // 1 for the first that failed, and so on
};

class ForkWait : public NativeAwaiter, public Suspension {
 public:
  ForkWait(ForkBranch* branches, std::uint32_t count) noexcept;
  ~ForkWait();

  [[nodiscard]] bool await_ready() const noexcept { return count_ == 0; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) noexcept {
    return start(parent, *parent.promise().task);
  }

 protected:
  // All children have ended: throws if one failed, or the task was cancelled.
  void check() {
    if (missing_ != 0 || failures_.load(std::memory_order_relaxed) != 0 || aborted != Abort::None)
        [[unlikely]]
      finish();
  }

 private:
  friend class ForkGroup;

  // Stands for a coroutine between the children and the parent: they return into it.
  struct JoinFrame : FrameHeader {
    explicit JoinFrame(ForkWait& wait) noexcept;
    PromiseBase promise;
    ForkWait* fork;
  };

  std::coroutine_handle<> start(std::coroutine_handle<> parent, TaskBase& task) noexcept;
  static void child_ended(FrameHeader* frame);
  [[nodiscard]] std::coroutine_handle<> enter(ForkBranch& child) noexcept;
  [[nodiscard]] std::coroutine_handle<> next_child() noexcept;
  [[nodiscard]] bool take(ForkBranch& child) noexcept;
  [[nodiscard]] std::coroutine_handle<> await_branches() noexcept;
  void end_inline(ForkBranch& child) noexcept;
  [[nodiscard]] bool is_cancelled() const noexcept;

  static void run_branch(Runnable& branch) noexcept;
  void start_branch(ForkBranch& branch, bool eager) noexcept;
  void branch_failed(const TaskBase& task) noexcept;
  void branch_ended() noexcept;
  [[nodiscard]] std::uint32_t count_failure() noexcept {
    return failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  void cancel_branches() noexcept;
  static HookResult ask_branches(Suspension& leaf, Abort kind) noexcept;
  static const LeafKind leaf_kind;

  void finish();
  void leave_group() noexcept;
  [[nodiscard]] ForkBranch* culprit() const noexcept;

  ForkBranch* branches_;
  std::uint32_t count_;
  std::uint32_t current_ = 0;
  std::uint32_t pushed_from_;  // the children from here on were pushed
  std::uint32_t missing_ = 0;
  bool pinned_ = false;           // the children are tasks of this loop from the beginning
  bool cancelled_ = false;        // a child ended with the task's cancellation
  bool cancel_branches_ = false;  // also those that somebody is about to start
  bool added_ = false;            // the group is among the parent's
  SpinLock lock_;
  Atomic<std::uint32_t> failures_{0};
  JoinCount joined_;
  ScopeNode* scope_ = nullptr;  // the parent's when it forked
  ForkGroup* group_ = nullptr;  // made by the first branch
  ContextSnapshot context_;
  JoinFrame join_;
  alignas(void*) std::byte group_memory_[64];  // for the group
};

// PromiseBase::of() finds the join frame's promise where the compiler puts that of a coroutine.
static_assert(sizeof(FrameHeader) == 16 && alignof(PromiseBase) <= 16);

}  // namespace coil::detail
