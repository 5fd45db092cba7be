#include "worker.hpp"

#include <coil/detail/check.hpp>
#include <coil/detail/fork_wait.hpp>
#include <coil/detail/off_loop.hpp>
#include <utility>

#include "scheduled_call.hpp"
#include "slow_callback.hpp"
#include "topology.hpp"
#include "worker_pool.hpp"

namespace coil::detail {
namespace {

constinit thread_local Worker* this_thread_worker = nullptr;
constexpr std::uint64_t id_block = 256;
constexpr std::uint32_t other_interval = 61;

}  // namespace

Worker* current_worker() noexcept { return this_thread_worker; }
void set_current_worker(Worker* worker) noexcept { this_thread_worker = worker; }

OffLoop::OffLoop() noexcept : before_(current_worker()) { set_current_worker(nullptr); }
OffLoop::~OffLoop() { set_current_worker(before_); }

Worker::Worker(WorkerPool& pool, unsigned index, std::unique_ptr<Backend> backend)
    : pool_(pool),
      index_(index),
      alone_(pool.places().size() == 1),
      shares_(!alone_ && pool.settings().steal),
      hides_forks_(!shares_ || process_barrier_works()),
      own_loop_(*this),
      backend_(std::move(backend)),
      // Its ring is malloc's. Small, and it grows on the loop's own thread and node.
      forks_(pool.pinned_on_several_nodes() ? 2 : 256),
      timers_(backend_->now()),
      registry_(!alone_),
      generators_(*this),
      steal_order_(pool.places(), Topology::machine().distances, index),
      random_(index + 1),
      started_(Clock::now()) {}

Worker::~Worker() = default;

Worker& Worker::of(Loop& loop) noexcept { return *loop.worker_; }

std::uint64_t Worker::next_task_id() noexcept {
  if (next_id_ == id_end_) {
    next_id_ = pool_.take_task_ids(id_block);
    id_end_ = next_id_ + id_block;
  }
  return next_id_++;
}

void Worker::push_task(TaskBase& task) noexcept {
  if (!shares_ || task.affinity() == Affinity::loop) return local_.push(task);
  if (!queue_.push(&task)) [[unlikely]]
    shed_load(task);
  pool_.notify(index_);
}

// For a task that runs here now and goes behind the others. If there are none, nobody needs to
// be told; if there are, it may wait for them, and an idle loop could have it.
void Worker::push_task_quietly(TaskBase& task) noexcept {
  if (!shares_ || task.affinity() == Affinity::loop) return local_.push(task);
  const bool others = !local_.empty() || queue_.size() != 0;
  if (!queue_.push(&task)) [[unlikely]]
    return shed_load(task);
  if (others) pool_.notify(index_);
}

// The run queue is full: half of it goes to the injector, where everybody finds it.
void Worker::shed_load(TaskBase& task) noexcept {
  TaskBase* batch[queue_capacity / 2];
  const std::size_t n = queue_.steal(batch, queue_capacity / 2);
  pool_.injector().push_all(batch, n);
  if (!queue_.push(&task)) pool_.injector().push(task);
  pool_.notify(index_);
}

void Worker::submit(Operation& operation) {
  operation.owner = this;
  operation.phase.arm();
  backend_->submit(operation);
}

bool Worker::post(Runnable& item) noexcept {
  if (!inbox_.push(item)) return false;
  wake();
  return true;
}

// A ring of this thread's may be what the signal has interrupted: only unpark() is safe.
bool Worker::post_from_signal(Runnable& item) noexcept {
  if (!inbox_.push(item)) return false;
  backend_->unpark();
  return true;
}

void Worker::post_cancel(Operation& operation) noexcept {
  COIL_CHECK(cancels_.push(operation), "an operation outlives its loop");
  wake();
}

// The push before this and the load here, and the store and the look in park(), are seq_cst: one
// side sees the other.
void Worker::wake() noexcept {
  if (this_thread_worker != this && sleeping_.load(std::memory_order_seq_cst)) pool_.wake(*this);
}

bool Worker::push_fork(ForkedChild& child) noexcept {
  if (!forks_.try_push(child)) [[unlikely]]
    return push_fork_anew(child);
  if (!hides_forks_ || pool_.idle_set().anyone_idle()) [[unlikely]]
    return show_forks();
  return true;
}
bool Worker::push_fork_anew(ForkedChild& child) noexcept {
  try {
    forks_.push(child);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return hides_forks_ && !pool_.idle_set().anyone_idle() ? true : show_forks();
}
bool Worker::show_forks() noexcept {
  forks_.share();
  pool_.notify(index_);
  return true;
}

// Under simulation no loop is ever seen idle.
bool Worker::forks_are_wanted() const noexcept {
  if (!shares_ || forks_.has_public() || current_ == nullptr ||
      current_->affinity() != Affinity::any)
    return false;
  return pool_.settings().backend == coil::Backend::sim || pool_.idle_set().anyone_idle();
}

bool Worker::has_ready() const noexcept {
  return !local_.empty() || !queue_.empty() || !forks_.empty();
}

// A fork's children are for the join, which comes soon, or for other loops. Here they wait until
// there is nothing else, which happens only while their parents are suspended; but not for ever.
Runnable* Worker::next_item() noexcept {
  const bool other_round = ++tick_ % other_interval == 0;
  if (other_round && !forks_.empty()) [[unlikely]]
    if (Runnable* child = newest_fork()) return child;
  Runnable* item = next_listed(other_round);
  return item != nullptr ? item : newest_fork();
}

Runnable* Worker::newest_fork() noexcept {
  ForkedChild* child = forks_.take();
  return child != nullptr ? &ForkWait::branch_of(*child) : nullptr;
}

Runnable* Worker::next_listed(bool look_in_injector) noexcept {
  if (alone_) return local_.pop();
  if (look_in_injector) (void)take_injected();
  // Two lists, each first in first out; in turn, so that neither starves the other.
  favour_queue_ = !favour_queue_;
  if (favour_queue_) {
    if (TaskBase* task = queue_.pop()) return task;
    return local_.pop();
  }
  if (Runnable* item = local_.pop()) return item;
  return queue_.pop();
}

void Worker::run_item(Runnable& item) noexcept {
  const bool timed = pool_.debug();
  const TimePoint begin = timed ? Clock::now() : TimePoint();
  if (item.run != nullptr) {
    callbacks_.add();
    item.run(item);
    if (timed) report_slow_callback(pool_, begin);
    return;
  }
  auto& task = static_cast<TaskBase&>(item);
  tasks_run_.add();
  task.set_loop(loop_);
  current_ = &task;
  if (timed) [[unlikely]] {
    const Ref<TaskBase> keep(&task);
    task.resume_point().resume();
    current_ = nullptr;
    return report_slow_task(pool_, task, begin);
  }
  task.resume_point().resume();
  current_ = nullptr;  // the task may be gone, or running elsewhere
}

void Worker::run_eagerly(TaskBase& task) noexcept {
  Outer outer{std::exchange(current_, &task), outer_};
  outer_ = &outer;
  tasks_run_.add();
  task.resume_point().resume();
  outer_ = outer.next;
  current_ = outer.task;
}

bool Worker::runs(const TaskBase& task) const noexcept {
  if (current_ == &task) return true;
  for (const Outer* outer = outer_; outer != nullptr; outer = outer->next)
    if (outer->task == &task) return true;
  return false;
}

bool Worker::drain_inbox() noexcept {
  bool any = false;
  for (Runnable* item = inbox_.take_all(); item != nullptr;) {
    Runnable* next = item->next;
    if (alone_ && item->run == nullptr) {
      auto& task = static_cast<TaskBase&>(*item);
      if (task.registry == nullptr) registry_.add(task);
    }
    local_.push(*item);
    item = next;
    any = true;
  }
  for (Operation* operation = cancels_.take_all(); operation != nullptr;) {
    Operation* next = operation->next;
    if (operation->phase.take_message() == OperationPhase::Taken::AskKernel) {
      backend_->cancel(*operation);
    } else {
      operation->finish(*operation);
    }
    operation = next;
    any = true;
  }
  return any;
}

void Worker::fire_timers() noexcept {
  if (timers_.hint() != never) timers_.advance(backend_->now());
}

std::size_t Worker::poll() {
  polls_.add();
  const std::size_t n = backend_->poll();
  completions_.add(n);
  return n;
}

bool Worker::turn() {
  int ran = 0;
  while (ran < turn_budget) {
    Runnable* item = next_item();
    if (item == nullptr) break;
    run_item(*item);
    ++ran;
  }
  bool any = ran != 0;
  any |= drain_inbox();
  fire_timers();
  if (backend_->wants_poll()) any |= poll() != 0;
  forks_.close();
  return any || has_ready();
}

void Worker::close_inbox() noexcept {
  (void)drain_inbox();
  end_detached();
  dropping_ = true;
  Runnable* item = inbox_.close();
  while (item != nullptr) {
    Runnable* next = item->next;
    local_.push(*item);
    item = next;
  }
  while (Runnable* left = next_item()) run_item(*left);
}

void Worker::drop_timers() noexcept {
  while (Timer* timer = timers_.take_any()) ScheduledCall::drop(*timer);
}

LoopMetrics Worker::metrics() noexcept {
  const TimePoint now = Clock::now();
  return {.tasks_run = tasks_run_.read(),
          .callbacks = callbacks_.read(),
          .stolen_by = stolen_by_.read(),
          .stolen_from = stolen_from_.read(),
          .completions = completions_.read(),
          .parks = parks_.read(),
          .polls = polls_.read(),
          .idle = idle_clock_.read(now),
          .total = now - started_,
          .timers = timers_.size(),
          .operations = backend_->in_flight()};
}

}  // namespace coil::detail
