#include "shutdown.hpp"

#include <coil/exception_context.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "driver.hpp"

namespace coil::detail {
namespace {

// The Runner may be closed by a coroutine that runs on another one's loop.
class OffLoop {
 public:
  OffLoop() noexcept : before_(current_worker()) { set_current_worker(nullptr); }
  ~OffLoop() { set_current_worker(before_); }
  OffLoop(const OffLoop&) = delete;
  OffLoop& operator=(const OffLoop&) = delete;

 private:
  Worker* before_;
};

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
  pool.gate().shut();
  if (!pool.may_drive() || !can_attach(pool)) {
    const bool tasks = tasks_left(pool);
    // Of connections that are still open, say: nobody but that thread may use loop 0's ring.
    Worker& loop0 = pool.worker(0);
    if (!tasks && loop0.backend().in_flight() == 0 && loop0.detached().empty())
      return pool.refuse_tasks();
    pool.gate().reopen();
    throw std::runtime_error(std::string("Runner::close(): ") +
                             (tasks ? "tasks are left" : "operations are in flight") +
                             ", and only the thread that has run the Runner can end them");
  }
  const OffLoop off_loop;
  Driver driver(pool);
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
