#include <coil/detail/operation.hpp>

#include "worker_pool.hpp"

namespace coil::detail {

void submit_operation(Operation& operation) { current_worker()->submit(operation); }

bool cancel_operation(Operation& operation) noexcept {
  if (!operation.phase.post_cancel()) return false;
  Worker& owner = *operation.owner;
  WorkerPool& pool = owner.pool();
  if (pool.is_inside()) {
    owner.post_cancel(operation);
  } else {
    pool.gate().pass();  // as in make_ready(): what we cancel may end before we are done
    owner.post_cancel(operation);
    pool.gate().leave();
  }
  return true;
}

}  // namespace coil::detail
