#include "driver.hpp"

#include <coil/detail/check.hpp>
#include <coil/detail/generator_base.hpp>
#include <coil/detail/task_view.hpp>
#include <coil/exceptions.hpp>
#include <stdexcept>
#include <string>

namespace coil::detail {
namespace {

// Tells the driving thread that a future is done, wherever that happens.
struct DriverWaiter : FutureWaiter {
  WorkerPool& pool;
  Atomic<bool> done{false};

  explicit DriverWaiter(WorkerPool& p) : pool(p) {
    wake = [](FutureWaiter& waiter) noexcept {
      auto& self = static_cast<DriverWaiter&>(waiter);
      WorkerPool& owner = self.pool;  // the waiter is gone once done is set
      self.done.store(true, std::memory_order_seq_cst);
      owner.wake_driver();
    };
  }
};

// One in every loop's inbox: when all have run, so has everything that was posted before.
struct Barrier {
  struct Item : Runnable {
    Barrier* barrier = nullptr;
  };

  explicit Barrier(WorkerPool& p) : pool(p), items(p.size()), left(p.size()) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      items[i].barrier = this;
      items[i].run = &pass;
      COIL_CHECK(pool.worker(i).post(items[i]), "a loop that is open takes what is posted");
    }
  }
  static void pass(Runnable& item) noexcept {
    Barrier& self = *static_cast<Item&>(item).barrier;
    WorkerPool& owner = self.pool;
    if (self.left.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    self.done.store(true, std::memory_order_seq_cst);
    owner.wake_driver();
  }

  WorkerPool& pool;
  std::vector<Item> items;
  Atomic<std::size_t> left;
  Atomic<bool> done{false};
};

}  // namespace

bool Driver::run_until(const Atomic<bool>& done) {
  const WorkerPool::Driven driven(pool_);
  if (pool_.settings().backend != coil::Backend::sim) {
    pool_.drive(done);
    return true;
  }
  if (!simulation_) simulation_.emplace(pool_, pool_.settings().sim_seed);
  return simulation_->run_until(done);
}

void Driver::run_until_done(FutureBase& future) {
  DriverWaiter waiter(pool_);
  if (!future.completion().add(waiter)) return;
  if (run_until(waiter.done)) return;
  const std::string report = simulation_->describe_deadlock();
  // A second one may come when what the first left behind cleans up; the first says more.
  if (!deadlock_) deadlock_ = std::make_exception_ptr(std::runtime_error("deadlock: " + report));
  for (auto& task : pool_.live_tasks()) task->cancel("deadlock");
  if (!run_until(waiter.done)) {
    const std::string again = simulation_->describe_deadlock();
    fail_invariant(("after being cancelled, " + again).c_str(), __FILE_NAME__, __LINE__);
  }
}

// asyncio's _cancel_all_tasks, again and again: tasks that are unwound may make new ones.
void Driver::cancel_rest() {
  for (;;) {
    const auto tasks = pool_.live_tasks();
    if (tasks.empty() && !close_generators() && !await_outside_work()) return;
    for (const auto& task : tasks)
      if (!task->is_finalizer()) task->cancel({});
    for (const auto& task : tasks) run_until_done(*task);
    report_failures(tasks);
  }
}

// asyncio's shutdown_asyncgens. False: there were none.
bool Driver::close_generators() {
  std::vector<GeneratorRef> generators;
  for (std::size_t i = 0; i < pool_.size(); ++i) pool_.worker(i).generators().take_all(generators);
  std::vector<FutureRef> closers;
  for (auto& generator : generators) {
    if (generator->state().handed_over()) continue;
    closers.push_back(GeneratorBase::close_in_task(std::move(generator), &pool_.worker(0).loop()));
  }
  for (const auto& closer : closers) run_until_done(*closer);
  return !closers.empty();
}

// asyncio's shutdown_default_executor. The loops run meanwhile: that work may need them. False:
// there was none.
bool Driver::await_outside_work() {
  const FutureRef drained = pool_.outside_count().drained();
  if (drained) run_until_done(*drained);
  return static_cast<bool>(drained);
}

void Driver::report_failures(const std::vector<Ref<TaskBase>>& tasks) {
  for (const auto& task : tasks) {
    if (task->phase() != FutureBase::Phase::Exception) continue;
    ExceptionContext context;
    context.message = "unhandled exception during coil::run() shutdown";
    context.exception = task->error();
    context.task = TaskRef(task.get());
    context.origin = task->origin();
    context.stack = exception_stack(*task);
    pool_.exception_handler().call(context);
  }
}

std::uint64_t Driver::callbacks_run() {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < pool_.size(); ++i) count += pool_.worker(i).callbacks_run();
  return count;
}

void Driver::settle() {
  constexpr int rounds_max = 20;  // a callback may schedule itself again and again
  for (int round = 0; round < rounds_max; ++round) {
    const auto before = callbacks_run();
    Barrier barrier(pool_);
    COIL_CHECK(run_until(barrier.done), "callbacks that were posted run");
    if (callbacks_run() - before <= pool_.size()) return;  // nothing but the barrier
  }
}

}  // namespace coil::detail
