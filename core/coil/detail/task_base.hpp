// A task, whatever its result: what it runs, what it waits for, what cancels it.
//
// Who may touch what:
//   1. resume_, leaf_, frames  the task's thread until TaskState::suspend(); then whoever owns the
//                              suspension (see task_state.hpp); then the thread that resumes it.
//                              While it runs, resume_ is the innermost frame that it has
//                              suspended in, or one further out (see PromiseBase::leave)
//   2. scope_, base            written by the task's thread under tree_lock_; read by it without,
//                              by anybody else under tree_lock_; groups_: anybody, under it
//   3. cancels_, message       under tree_lock_
//   4. loop_                   written by the loop that runs or adopts the task
//   5. group_                  set before the task starts, cleared under tree_lock_ when it ends;
//                              its links: the group's lock
//   6. registry links          the registry's lock
//   7. context                 see context_slot.hpp; its owner is the task's thread
//   8. trace_                  the task's thread; anybody once it is done
// A task holds one reference to itself from start_task() until it has ended.
#pragma once

#include <coil/affinity.hpp>
#include <coil/detail/box.hpp>
#include <coil/detail/context_slot.hpp>
#include <coil/detail/exception_trace.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/report_link.hpp>
#include <coil/detail/runnable.hpp>
#include <coil/detail/scope_node.hpp>
#include <coil/detail/suspension.hpp>
#include <coil/detail/task_state.hpp>
#include <coil/exceptions.hpp>
#include <coroutine>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace coil::detail {

// Before clang 19, an await_suspend that is inlined may keep its locals in the coroutine's frame,
// which another thread may be running by the time it returns.
#if defined(__clang__) && __clang_major__ < 19
#define COIL_OUTLINED [[gnu::noinline]]
#else
#define COIL_OUTLINED
#endif

// For what throws.
#define COIL_INLINED [[gnu::always_inline]] inline

// A class that is handed over in a register and destroyed by whom it was given to: a caller that
// suspends in the same expression, as in co_await fork(a(), b()), keeps nothing of it in its frame.
#if defined(__clang__)
#define COIL_TRIVIAL_ABI [[clang::trivial_abi]]
#else
#define COIL_TRIVIAL_ABI
#endif

class CancelWork;
struct PromiseBase;

// Stands where a coroutine handle is expected: the compilers' common ABI begins every frame with
// these two functions. A task's outermost coroutine "returns" into one.
struct FrameHeader {
  void (*resume)(FrameHeader*) = nullptr;
  void (*destroy)(FrameHeader*) = nullptr;
  [[nodiscard]] std::coroutine_handle<> handle() noexcept {
    return std::coroutine_handle<>::from_address(this);
  }
};

// As its FrameHeader a task stands for a frame twice: the loop resumes it first, and it is the
// outermost coroutine's continuation.
class TaskBase : public FutureBase, public Runnable, protected FrameHeader {
 public:
  explicit TaskBase(std::source_location origin) noexcept : FutureBase(2), origin_(origin) {}
  ~TaskBase() override;

  // Suspends the running coroutine `handle` of this task in `leaf`. `arm` registers the leaf with
  // its wake source and gives false if there is nothing to wait for any more. False: go on
  // running, and let await_resume look at leaf.aborted. True: this task may be gone already.
  template <class Arm>
  COIL_OUTLINED [[nodiscard]] bool suspend(std::coroutine_handle<> handle, Suspension& leaf,
                                           Arm&& arm) {
    leaf.task = this;
    if (state_.cancel_pending() && cancel_on_entry(leaf)) [[unlikely]]
      return false;
    leaf_ = &leaf;
    resume_ = handle;
    if (!arm()) return false;
    switch (state_.suspend()) {
      case TaskState::Suspended::Yes:
        return true;
      case TaskState::Suspended::Woken:
        return false;
      case TaskState::Suspended::CancelFirst:
        return cancel_own_leaf(leaf);
    }
    __builtin_unreachable();
  }
  // The leaf's wake source, once per suspension. Any thread. Does not touch the leaf.
  void wake() noexcept;
  // A cancel came while the task was in a ready queue: true, with the kind, if it is to throw now.
  [[nodiscard]] Abort take_cancel() noexcept;
  [[nodiscard]] bool cancel_pending() const noexcept { return state_.cancel_pending(); }
  // The CancelledError of an edge that is pending before the task has started, else null.
  [[nodiscard]] std::exception_ptr cancelled_before_start() noexcept;
  // The same when it has cancelled itself and ended without suspending again. Anybody else's cancel
  // came too late for what the task last awaited, and its result is not lost.
  [[nodiscard]] std::exception_ptr cancelled_at_end() noexcept;
  // Throws CancelledError for a leaf that was aborted. From the coroutine itself: every frame that
  // an exception passes costs a tenth of a microsecond, and a destructor on the way twice that.
  [[noreturn]] COIL_INLINED void throw_cancelled(Abort abort) { throw take_cancellation(abort); }
  void throw_if_aborted(const Suspension& leaf) {
    if (leaf.aborted != Abort::None) [[unlikely]]
      throw_cancelled(leaf.aborted);
  }
  // std::runtime_error: it would wait for its own end.
  [[noreturn]] void throw_awaits_itself() const;
  // An edge that could not be delivered at its suspension comes at the next one.
  void defer_edge() noexcept { state_.flag(TaskState::EdgeBit); }
  // The task's own: a pending edge counts as delivered by the CancelledError under way.
  void absorb_edge() noexcept { (void)state_.take(TaskState::EdgeBit); }

  // Task::cancel and friends. Any thread.
  bool cancel(std::string_view message) override;
  [[nodiscard]] int cancelling() const noexcept;
  int uncancel() noexcept;
  // Counts an edge and takes hold of the suspension if there is one; the hook comes later.
  void request_edge(CancelWork& work) noexcept;
  // The hook after request_edge, or TaskState::Request::Hook; for what the leaf awaits, too.
  void end_edge_hook() noexcept;
  // Some scope around this task was cancelled, or a shield fell: look, everywhere below it.
  static void deliver_level(Ref<TaskBase> task) noexcept;
  // For the hook of `waiter`, which awaits this task: asks it to cancel itself too. Hook: it is
  // held, and the HookResult must tell so.
  [[nodiscard]] TaskState::Request request_for(TaskBase& waiter, Abort kind) noexcept;
  // An edge was asked for (any thread) and has not been thrown, nor was it swallowed by what it
  // was carried on to. One that ended like this has not had it: its awaiter gets it back.
  [[nodiscard]] bool edge_undelivered() const noexcept;
  void edge_swallowed() noexcept;

  // To look at the task (task_view.hpp): while it is held, nobody resumes it, and its frames and
  // leaf stay as they are. Every Held is followed by let_go(), by somebody who has a reference.
  [[nodiscard]] TaskState::Hold hold() noexcept { return state_.hold(); }
  void let_go() noexcept;
  // Its coroutines, innermost first; one that has not started shows where it is written. The task
  // is held, or nobody but this thread could run it; or this thread runs it: then those are missing
  // that were entered since it last suspended.
  [[nodiscard]] std::vector<std::source_location> frames() const;
  // Who waits for the members of the group that the task is in.
  [[nodiscard]] Ref<TaskBase> group_parent() const noexcept;

  // An exception leaves one of the task's coroutines (its own thread).
  void trace(const std::exception_ptr& error, const PromiseBase& from) noexcept;
  // The running task is about to throw the exception that `failed` ended with.
  static void adopt_trace(const FutureBase& failed) noexcept;
  // The running task's trace goes on with whichever coroutine the exception leaves next.
  void carry_trace_on() noexcept {
    if (trace_) trace_->next_frame = nullptr;
  }
  // The coroutines that the exception left which ended the task, innermost first. Once done.
  [[nodiscard]] const std::vector<std::source_location>& exception_frames() const noexcept;

  void push_scope(ScopeNode& scope) noexcept;
  void pop_scope(ScopeNode& scope) noexcept;
  void push_group(GroupNode& group) noexcept;
  void pop_group(GroupNode& group) noexcept;
  // The same from any thread, once (`added`, under the lock), while the task cannot leave `scope`.
  void add_group(GroupNode& group, ScopeNode* scope, bool& added) noexcept;
  // Before start_task: the task's chain goes on outwards with the group's.
  void join_group(GroupNode& group);
  [[nodiscard]] ScopeNode* scope() const noexcept { return scope_; }
  [[nodiscard]] SpinLock& tree_lock() noexcept { return tree_lock_; }
  // Tasks of a Runner with one loop, until other threads may take references to them that are
  // no handles (see FutureBase::release).
  void begin_solo() noexcept { set_solo(group_ == nullptr); }
  void end_solo() noexcept { set_solo(false); }
  // Looks at the scopes again at the next suspension.
  void flag_level() noexcept { state_.flag(TaskState::LevelBit); }

  // After the outermost coroutine has ended and the result is in place: completes the future,
  // leaves group and loop, drops the task's reference to itself.
  void end(Phase phase, std::exception_ptr error) noexcept;

  using FutureBase::as_task;
  [[nodiscard]] TaskBase* as_task() noexcept override { return this; }
  [[nodiscard]] std::coroutine_handle<> resume_point() const noexcept { return resume_; }
  void set_resume_point(std::coroutine_handle<> handle) noexcept { resume_ = handle; }
  [[nodiscard]] const Suspension* leaf() const noexcept { return leaf_; }
  [[nodiscard]] bool suspended() const noexcept { return state_.suspended(); }
  [[nodiscard]] Affinity affinity() const noexcept { return affinity_; }
  void set_affinity(Affinity affinity) noexcept { affinity_ = affinity; }
  // Cleans up after others: run() waits for it and does not cancel it, and all_tasks() leaves it
  // out. Before start_task.
  void set_finalizer() noexcept { finalizer_ = true; }
  [[nodiscard]] bool is_finalizer() const noexcept { return finalizer_; }
  // Its context is what it was given, also if that is none. Before start_task.
  void keep_context() noexcept { context_kept_ = true; }
  [[nodiscard]] bool inherits_context() const noexcept { return !context_kept_ && context.empty(); }
  [[nodiscard]] Loop* loop() const noexcept { return loop_.load(std::memory_order_relaxed); }
  void set_loop(Loop* loop) noexcept { loop_.store(loop, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  void set_id(std::uint64_t id) noexcept { id_ = id; }
  [[nodiscard]] std::string name() const;
  void set_name(std::string_view name);
  [[nodiscard]] const std::source_location& origin() const noexcept { return origin_; }
  // To whom a failure is told that nobody saw.
  [[nodiscard]] const ReportLink& report_link() const noexcept { return report_link_; }

  // The registry of the loop that adopted the task.
  TaskBase* registry_previous = nullptr;
  TaskBase* registry_next = nullptr;
  void* registry = nullptr;
  // Copied from the maker's when the task is started, unless it was given one.
  ContextSlot context;

 protected:
  [[nodiscard]] bool release_on_loop() noexcept override;
  void set_outermost(std::coroutine_handle<> frame) noexcept { outermost_ = frame; }
  [[nodiscard]] std::coroutine_handle<> outermost() const noexcept { return outermost_; }
  // From its first moment on nobody finds the frame any more.
  void destroy_outermost() noexcept { std::exchange(outermost_, nullptr).destroy(); }

 private:
  friend class GroupNode;

  // How far a cancel goes: on to what the task awaits, or no further than its wait.
  enum class Reach : std::uint8_t { Awaited, Here };
  // Calls the leaf's hook for a suspension that is held; tells where the cancel goes on to.
  HookResult run_hook(Abort kind, Reach reach) noexcept;
  // Carries a cancel on to what the hook of `origin` holds.
  static void carry_on(TaskBase& origin, Abort kind, HookResult next) noexcept;
  void take_back_request() noexcept;
  [[nodiscard]] bool cancel_on_entry(Suspension& leaf) noexcept;
  [[nodiscard]] bool cancel_own_leaf(Suspension& leaf) noexcept;
  [[nodiscard]] bool take_level() noexcept;
  [[nodiscard]] CancelledError take_cancellation(Abort abort);
  [[nodiscard]] CancelledError edge_error();
  [[nodiscard]] bool has_trace() const noexcept;
  [[nodiscard]] TaskState::Request begin_edge(Box<std::string> message, bool own) noexcept;

  TaskState state_;
  mutable SpinLock tree_lock_;
  Affinity affinity_ = Affinity::any;
  bool finalizer_ = false;
  bool context_kept_ = false;
  bool edge_undelivered_ = false;  // under tree_lock_
  bool edge_own_ = false;          // the task asked for the latest itself; under tree_lock_
  Atomic<int> cancels_{0};         // written under tree_lock_
  std::coroutine_handle<> resume_;
  std::coroutine_handle<> outermost_;
  Suspension* leaf_ = nullptr;
  ScopeNode* scope_ = nullptr;
  GroupNode* groups_ = nullptr;
  GroupNode* group_ = nullptr;
  TaskBase* group_previous_ = nullptr;
  TaskBase* group_next_ = nullptr;
  Atomic<Loop*> loop_{nullptr};
  std::uint64_t id_ = 0;
  Box<std::string> name_;
  Box<std::string> cancel_message_;
  ReportLink report_link_;  // of one that failed
  Box<ExceptionTrace> trace_;
  std::source_location origin_;
};

template <class Fn>
void GroupNode::for_each(Fn&& fn) noexcept {
  const SpinGuard guard(lock_);
  for (TaskBase* task = first_; task != nullptr; task = task->group_next_) fn(*task);
}

}  // namespace coil::detail
