#include "main_task.hpp"

#include <coil/detail/check.hpp>
#include <coil/exceptions.hpp>
#include <stdexcept>

#include "interrupt.hpp"
#include "terminate.hpp"

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

}  // namespace

void MainTask::drive_until_done(FutureBase& future) {
  DriverWaiter waiter(pool_);
  if (!future.completion().add(waiter)) return;
  if (pool_.settings().backend != coil::Backend::sim) return pool_.drive(waiter.done);
  if (!simulation_) simulation_.emplace(pool_, pool_.settings().sim_seed);
  if (simulation_->run_until(waiter.done)) return;
  const std::string report = simulation_->describe_deadlock();
  COIL_CHECK(!deadlock_, "tasks do not end although they were cancelled");
  deadlock_ = std::make_exception_ptr(std::runtime_error("deadlock: " + report));
  for (auto& task : pool_.live_tasks()) task->cancel("deadlock");
  if (!simulation_->run_until(waiter.done)) {
    const std::string again = simulation_->describe_deadlock();
    fail_invariant(("after being cancelled, " + again).c_str(), __FILE_NAME__, __LINE__);
  }
}

void MainTask::on_interrupt(void* self) {
  auto& main = *static_cast<MainTask*>(self);
  main.interrupted_ = true;
  main.task_->cancel({});
}

void MainTask::run() {
  {
    const InterruptGuard guard(pool_);
    pool_.on_interrupt(&on_interrupt, this);
    drive_until_done(*task_);
    pool_.on_interrupt(nullptr, nullptr);
    cancel_rest();
  }
  task_->mark_retrieved();
  if (deadlock_) std::rethrow_exception(deadlock_);
  if (task_->phase() == FutureBase::Phase::Value) return;
  const bool interrupted = interrupted_ && task_->cancelled() && task_->uncancel() == 0;
  const std::exception_ptr error =
      interrupted ? std::make_exception_ptr(KeyboardInterrupt()) : task_->error();
  end_like_python_if_uncaught(error);
  std::rethrow_exception(error);
}

// asyncio's _cancel_all_tasks, again and again: tasks that are unwound may make new ones.
void MainTask::cancel_rest() {
  for (;;) {
    const auto tasks = pool_.live_tasks();
    if (tasks.empty()) return;
    for (const auto& task : tasks) task->cancel({});
    for (const auto& task : tasks) drive_until_done(*task);
    report_failures(tasks);
  }
}

void MainTask::report_failures(const std::vector<Ref<TaskBase>>& tasks) {
  for (const auto& task : tasks) {
    if (task->phase() != FutureBase::Phase::Exception) continue;
    ExceptionContext context;
    context.message = "unhandled exception during coil::run() shutdown";
    context.exception = task->error();
    context.task = TaskRef(task.get());
    context.origin = task->origin();
    pool_.exception_handler().call(context);
  }
}

}  // namespace coil::detail
