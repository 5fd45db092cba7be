#include <coil/detail/check.hpp>
#include <coil/detail/detached_operation.hpp>

#include "worker.hpp"

namespace coil::detail {
namespace {

constexpr auto look_again = std::chrono::milliseconds(5);

}  // namespace

void submit_detached(DetachedOperation& operation) noexcept {
  Worker* worker = current_worker();
  COIL_CHECK(worker != nullptr, "an operation is submitted from a loop");
  worker->detached().add(operation);
  worker->submit(operation);
}

void end_detached(DetachedOperation& operation) noexcept {
  operation.owner->detached().remove(operation);
}

std::span<std::byte> provided_buffer(const Operation& operation, std::uint16_t id) noexcept {
  return operation.owner->backend().provided_buffer(id);
}

void recycle_buffer(const Operation& operation, std::uint16_t id) noexcept {
  operation.owner->backend().recycle_buffer(id);
}

// The callbacks that run here may submit more, and a cancel ends one attempt only: again, until
// nothing is left. Nobody wakes a loop that is closing, so it looks again by itself.
// A callback that schedules itself again and again would keep us for ever: it gets so many turns.
void Worker::end_detached() noexcept {
  constexpr int rounds_max = 1'000;
  for (int round = 0; !detached_.empty() || (has_ready() && round < rounds_max); ++round) {
    for (std::size_t n = local_.size() + queue_.size(); n > 0; --n)
      if (Runnable* item = next_item()) run_item(*item);
    detached_.for_each([](DetachedOperation& operation) { (void)cancel_operation(operation); });
    (void)drain_inbox();
    if (!has_ready() && !detached_.empty()) completions_.add(backend_->park(now() + look_again));
  }
}

}  // namespace coil::detail
