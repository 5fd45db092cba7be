#include "sim_backend.hpp"

#include "perform_here.hpp"

namespace coil::detail {

void SimBackend::submit(Operation& operation) { pending_.push_back(&operation); }

void SimBackend::cancel(Operation&) {}  // what was submitted completes at the next poll anyway

std::size_t SimBackend::poll() {
  std::size_t n = 0;
  while (!pending_.empty()) {
    Operation* operation = pending_.front();
    pending_.pop_front();
    ++n;
    operation->complete(*operation, perform_here(*operation), {});
  }
  return n;
}

std::size_t SimBackend::park(TimePoint deadline) {
  if (deadline != never) clock_->advance_to(deadline);
  return poll();
}

}  // namespace coil::detail
