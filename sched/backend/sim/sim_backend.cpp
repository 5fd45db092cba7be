#include "sim_backend.hpp"

#include <cerrno>

namespace coil::detail {

void SimBackend::submit(Operation& operation) {
  operation.next = nullptr;
  (last_ != nullptr ? last_->next : first_) = &operation;
  last_ = &operation;
  ++in_flight_;
}

void SimBackend::cancel(Operation&) {}  // what was submitted completes at the next poll anyway

std::size_t SimBackend::poll() {
  std::size_t n = 0;
  while (Operation* operation = first_) {
    first_ = operation->next;
    if (first_ == nullptr) last_ = nullptr;
    --in_flight_;
    ++n;
    operation->complete(*operation, operation->code == OpCode::Nop ? 0 : -ENOTSUP, {});
  }
  return n;
}

std::size_t SimBackend::park(TimePoint deadline) {
  if (deadline != never) clock_->advance_to(deadline);
  return poll();
}

}  // namespace coil::detail
