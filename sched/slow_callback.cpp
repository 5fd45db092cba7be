#include "slow_callback.hpp"

#include <coil/detail/task_base.hpp>
#include <coil/detail/task_view.hpp>
#include <string>

#include "worker_pool.hpp"

namespace coil::detail {
namespace {

std::string seconds(Duration d) {
  return std::to_string(std::chrono::duration<double>(d).count()) + " seconds";
}

}  // namespace

void report_slow_callback(WorkerPool& pool, TimePoint begin) noexcept {
  const Duration took = Clock::now() - begin;
  if (took < pool.slow_callback_duration()) return;
  ExceptionContext context;
  context.message = "Executing a callback took " + seconds(took);
  pool.exception_handler().call(context);
}

void report_slow_task(WorkerPool& pool, TaskBase& task, TimePoint begin) noexcept {
  const Duration took = Clock::now() - begin;
  if (took < pool.slow_callback_duration()) return;
  ExceptionContext context;
  context.message = "Executing task '" + task.name() + "' took " + seconds(took);
  context.task = TaskRef(&task);
  context.origin = task.origin();
  context.stack = stack_of(task);
  pool.exception_handler().call(context);
}

}  // namespace coil::detail
