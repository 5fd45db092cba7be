#include <coil/detail/operation.hpp>

#include "worker.hpp"

namespace coil::detail {

void submit_operation(Operation& operation) { current_worker()->submit(operation); }

bool cancel_operation(Operation& operation) noexcept {
  if (!operation.phase.post_cancel()) return false;
  operation.owner->post_cancel(operation);
  return true;
}

}  // namespace coil::detail
