// One loop: what is ready on it, what it waits for, and the thread that drives it.
//
// Invariant: everything here belongs to the driving thread, save what says "any thread": the
// inbox, the run queue's and fork deque's stealing ends, the wheel's disarm, the counters' reads.
#pragma once

#include <atomic>
#include <coil/detail/fork_taken.hpp>
#include <coil/detail/operation.hpp>
#include <coil/detail/rare_call.hpp>
#include <coil/detail/runnable.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/loop.hpp>
#include <coil/metrics.hpp>
#include <cstdint>
#include <memory>

#include "backend/backend.hpp"
#include "counter.hpp"
#include "detached_list.hpp"
#include "fork_deque.hpp"
#include "generator_registry.hpp"
#include "idle_clock.hpp"
#include "local_queue.hpp"
#include "mpsc_stack.hpp"
#include "own_pages.hpp"
#include "run_queue.hpp"
#include "spin_budget.hpp"
#include "steal_order.hpp"
#include "task_registry.hpp"
#include "timer_wheel.hpp"

namespace coil::detail {

class WorkerPool;

class Worker : public OwnPages {
 public:
  Worker(WorkerPool& pool, unsigned index, std::unique_ptr<Backend> backend);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  [[nodiscard]] static Worker& of(Loop& loop) noexcept;
  [[nodiscard]] WorkerPool& pool() const noexcept { return pool_; }
  [[nodiscard]] unsigned index() const noexcept { return index_; }
  [[nodiscard]] Loop& loop() noexcept { return *loop_; }
  // Before anything runs: the loop is somebody's own, not ours.
  void set_loop(Loop& loop) noexcept { loop_ = &loop; }
  void reset_loop() noexcept { loop_ = &own_loop_; }
  [[nodiscard]] Backend& backend() noexcept { return *backend_; }
  [[nodiscard]] TimerWheel& timers() noexcept { return timers_; }
  [[nodiscard]] TaskRegistry& registry() noexcept { return registry_; }
  [[nodiscard]] GeneratorRegistry& generators() noexcept { return generators_; }
  [[nodiscard]] DetachedList& detached() noexcept { return detached_; }
  [[nodiscard]] TaskBase* current() const noexcept { return current_; }
  // Its coroutine is on this thread's stack: it is current(), or started the current one eagerly.
  [[nodiscard]] bool runs(const TaskBase& task) const noexcept;
  // Of callbacks for which no context was copied.
  [[nodiscard]] ContextSlot& callback_context() noexcept { return callback_context_; }
  [[nodiscard]] TimePoint now() const noexcept { return backend_->now(); }
  [[nodiscard]] std::uint64_t next_task_id() noexcept;

  // Driving thread: something is ready here.
  void push_pinned(Runnable& item) noexcept { local_.push(item); }
  void push_task(TaskBase& task) noexcept;          // tells an idle loop
  void push_task_quietly(TaskBase& task) noexcept;  // only if there was work already
  void run_eagerly(TaskBase& task) noexcept;
  // A child of a fork, for this loop's next join or for whoever steals it first; newest first out.
  // False: out of memory. What is rare in it is out of line, so that the rest needs no stack.
  [[nodiscard]] bool push_fork(ForkedChild& child) noexcept;
  [[nodiscard]] ForkTaken try_take_fork(ForkedChild& child) noexcept {
    return forks_.try_take(child);
  }
  [[nodiscard]] bool finish_take_fork() noexcept { return forks_.finish_take(); }
  [[nodiscard]] bool forks_are_wanted() const noexcept;
  void submit(Operation& operation);

  // Any thread. False: closed.
  [[nodiscard]] bool post(Runnable& item) noexcept;
  // The same, async-signal-safe.
  [[nodiscard]] bool post_from_signal(Runnable& item) noexcept;
  void post_cancel(Operation& operation) noexcept;
  // Closing thread, while nobody else is here: a task that was posted and not taken over yet.
  [[nodiscard]] bool has_posted_task() const noexcept {
    return inbox_.any([](const Runnable& item) { return item.run == nullptr; });
  }
  void wake() noexcept;  // makes its park() return

  // Driving thread. Runs what is ready, a bounded number of items; false: nothing was done.
  bool turn();
  // Nothing is ready: searches, spins, sleeps. Returns when there may be something.
  void idle();
  // Takes tasks from the injector or from other loops.
  bool take_from_others() noexcept { return take_injected() || steal_round(Reach::Hidden); }
  // One item, for the simulation; `choose` gives a number below its argument.
  template <class Choose>
  bool run_one(Choose&& choose);
  [[nodiscard]] bool has_ready() const noexcept;
  bool drain_inbox() noexcept;
  void fire_timers() noexcept;
  std::size_t poll();
  // Runs what was accepted, cancels and awaits the operations that no task awaits, refuses what
  // comes after.
  void close_inbox() noexcept;
  // Once nothing runs any more: callbacks that are not due yet never will be.
  void drop_timers() noexcept;
  // Callbacks that are left now are dropped, not called.
  [[nodiscard]] bool dropping() const noexcept { return dropping_; }
  [[nodiscard]] std::uint64_t callbacks_run() const noexcept { return callbacks_.read(); }

  // Whether a thief also takes what a victim hides, which costs all processors an interrupt.
  enum class Reach : bool { Public, Hidden };
  // Any thread: takes work from this loop for `thief`, which is the caller's.
  [[nodiscard]] bool steal_into(Worker& thief, Reach reach) noexcept;
  [[nodiscard]] bool shares() const noexcept { return shares_; }
  [[nodiscard]] bool has_stealable() const noexcept { return !queue_.empty() || !forks_.empty(); }
  [[nodiscard]] LoopMetrics metrics() noexcept;

 private:
  static constexpr std::size_t queue_capacity = 256;
  static constexpr int turn_budget = 64;

  [[nodiscard]] Runnable* next_item() noexcept;
  [[nodiscard]] Runnable* next_listed(bool look_in_injector) noexcept;
  COIL_RARE_CALL bool push_fork_anew(ForkedChild& child) noexcept;
  COIL_RARE_CALL bool show_forks() noexcept;
  [[nodiscard]] Runnable* newest_fork() noexcept;
  void run_item(Runnable& item) noexcept;
  void end_detached() noexcept;
  void shed_load(TaskBase& task) noexcept;
  bool take_injected() noexcept;
  bool steal_round(Reach reach) noexcept;
  bool search(Reach reach) noexcept;
  // What a loop finds that is seen to be idle, and about to sleep: nothing, work in some queue, or
  // something that a loop hid and that is ours now.
  enum class LastLook : std::uint8_t { Nothing, Work, Hidden };
  [[nodiscard]] LastLook look_once_more() noexcept;

  bool spin(TimePoint until) noexcept;
  [[nodiscard]] bool work_in_sight() noexcept;
  void park();
  void found_work() noexcept;

  // A task that has started another one eagerly, and waits for it on the stack.
  struct Outer {
    TaskBase* task;
    Outer* next;
  };

  WorkerPool& pool_;
  unsigned index_;
  const bool alone_;        // the only loop: nobody else touches what is ours
  const bool shares_;       // others may take our tasks; else all that is ready is one list, local_
  const bool hides_forks_;  // ... and the kernel helps them to find what we tell nobody of
  bool searching_ = false;
  std::size_t left_ = 0;  // seen where we found work last, and not taken or not run yet
  bool favour_queue_ = false;
  bool dropping_ = false;
  std::uint32_t tick_ = 0;
  Loop own_loop_;
  Loop* loop_ = &own_loop_;
  std::unique_ptr<Backend> backend_;
  TaskBase* current_ = nullptr;
  Outer* outer_ = nullptr;
  ContextSlot callback_context_;
  LocalQueue local_;  // pinned tasks and callbacks; alone, all tasks
  RunQueue<TaskBase, queue_capacity> queue_;
  ForkDeque<ForkedChild> forks_;
  TimerWheel timers_;
  DetachedList detached_;
  TaskRegistry registry_;
  GeneratorRegistry generators_;
  StealOrder steal_order_;
  Random random_;
  SpinBudget spin_budget_;
  std::uint64_t next_id_ = 0;
  std::uint64_t id_end_ = 0;

  Counter tasks_run_, callbacks_, stolen_by_, stolen_from_, completions_, parks_, polls_;
  IdleClock idle_clock_;
  TimePoint started_;

  // Any thread pushes here.
  alignas(64) MpscStack<Runnable> inbox_;
  MpscStack<Operation> cancels_;
  Atomic<bool> sleeping_{false};
};

// The loop that this thread drives, or nullptr. Never inline: see frame_allocator.hpp.
[[nodiscard]] Worker* current_worker() noexcept;
void set_current_worker(Worker* worker) noexcept;

template <class Choose>
bool Worker::run_one(Choose&& choose) {
  const std::size_t listed = local_.size() + queue_.size();
  const std::size_t ready = listed + (forks_.empty() ? 0 : 1);
  if (ready == 0) return false;
  // Each list keeps its order, as it does in next_item(); which one is next is open.
  const std::size_t chosen = choose(ready);
  Runnable* item = nullptr;
  if (chosen < local_.size()) {
    item = local_.pop();
  } else if (chosen < listed) {
    item = queue_.pop();
  } else {
    item = newest_fork();
  }
  run_item(*item);
  return true;
}

}  // namespace coil::detail
