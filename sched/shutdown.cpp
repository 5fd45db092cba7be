#include "shutdown.hpp"

#include <coil/detail/off_loop.hpp>
#include <coil/exception_context.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "driver.hpp"

namespace coil::detail {
namespace {

// Loop 0 of a Runner that has never run.
bool can_attach(WorkerPool& pool) noexcept {
  try {
    pool.attach_driver();
  } catch (const std::system_error&) {  // run() has said so, or would have
    return false;
  }
  return true;
}

bool tasks_left(WorkerPool& pool) {
  return pool.live_task_count() != 0 || (pool.size() == 1 && pool.worker(0).has_posted_task());
}

}  // namespace

void wind_up(WorkerPool& pool) {
  if (current_worker() != nullptr && &current_worker()->pool() == &pool)
    throw std::runtime_error(
        "Runner::close() cannot be called from a running event loop of that Runner");
  // The Runner may be closed by a coroutine that runs on another one's loop.
  const OffLoop off_loop;
  // What goes on in other threads may still call the loops, as long as it is waited for.
  Driver driver(pool);
  if (pool.outside_count().any() && pool.may_drive() && can_attach(pool)) driver.cancel_rest();
  pool.gate().shut();
  if (!pool.may_drive() || !can_attach(pool)) {
    const bool tasks = tasks_left(pool);
    // Of connections that are still open, say: nobody but that thread may use loop 0's ring.
    Worker& loop0 = pool.worker(0);
    if (!tasks && loop0.backend().in_flight() == 0 && loop0.detached().empty()) {
      if (const FutureRef drained = pool.outside_count().drained())
        drained->block_until_done("Runner::close", nullptr);
      return pool.refuse_tasks();
    }
    pool.gate().reopen();
    throw std::runtime_error(std::string("Runner::close(): ") +
                             (tasks ? "tasks are left" : "operations are in flight") +
                             ", and only the thread that has run the Runner can end them");
  }
  do {
    driver.cancel_rest();
    driver.settle();
  } while (pool.live_task_count() != 0);
  // Callbacks may be left that call one another for ever, and they might make a task at last.
  pool.refuse_tasks();
  driver.settle();
  driver.cancel_rest();
  if (!driver.deadlock()) return;
  ExceptionContext context;
  context.message = "while the Runner was being closed";
  context.exception = driver.deadlock();
  pool.exception_handler().call(context);
}

}  // namespace coil::detail
