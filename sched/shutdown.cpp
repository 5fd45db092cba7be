#include "shutdown.hpp"

#include <coil/exception_context.hpp>
#include <stdexcept>
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

}  // namespace

void wind_up(WorkerPool& pool) {
  if (current_worker() != nullptr && &current_worker()->pool() == &pool)
    throw std::runtime_error(
        "Runner::close() cannot be called from a running event loop of that Runner");
  if (!pool.may_drive()) {
    if (pool.live_task_count() != 0)
      throw std::runtime_error(
          "Runner::close(): tasks are left, and only the thread that has run the Runner can end "
          "them");
    // Of connections that are still open, say: nobody but that thread may use loop 0's ring.
    Worker& loop0 = pool.worker(0);
    if (loop0.backend().in_flight() != 0 || !loop0.detached().empty())
      throw std::runtime_error(
          "Runner::close(): operations are in flight, and only the thread that has run the Runner "
          "can end them");
    return pool.gate().shut();
  }
  pool.gate().shut();
  const OffLoop off_loop;
  Driver driver(pool);
  do {
    driver.cancel_rest();
    driver.settle();
  } while (pool.live_task_count() != 0);
  if (!driver.deadlock()) return;
  ExceptionContext context;
  context.message = "while the Runner was being closed";
  context.exception = driver.deadlock();
  pool.exception_handler().call(context);
}

}  // namespace coil::detail
