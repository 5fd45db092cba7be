#include <coil/detail/off_loop.hpp>
#include <coil/executor.hpp>
#include <coil/loop.hpp>

#include "simulated_calls.hpp"

namespace coil {
namespace detail {

const char* held_here(const char* what) noexcept {
  return get_running_loop_or_null() != nullptr ? what : nullptr;
}

void SimulatedCalls::execute(Loop& loop, Work& work) {
  line_->add(work, [&] {
    loop.call_soon([line = line_] {
      {
        const OffLoop off_loop;
        line->run_next();
      }
      line->calls()->end();
    });
  });
}

Future<void> SimulatedCalls::close(const ShutdownOptions& options) {
  auto ended = calls_->close();
  if (options.cancel_futures) line_->cancel_all();
  return ended;
}

}  // namespace detail

namespace {

Loop* simulated_loop() noexcept {
  Loop* const loop = get_running_loop_or_null();
  return loop != nullptr && loop->is_simulated() ? loop : nullptr;
}

Future<void> done_now() {
  auto future = create_future<void>();
  future.set_result();
  return future;
}

}  // namespace

Executor::~Executor() { delete simulated_.load(std::memory_order_acquire); }

detail::SimulatedCalls& Executor::simulated() {
  auto* there = simulated_.load(std::memory_order_acquire);
  if (there != nullptr) return *there;
  auto* const made = new detail::SimulatedCalls;
  if (simulated_.compare_exchange_strong(there, made, std::memory_order_acq_rel)) return *made;
  delete made;
  return *there;
}

Future<void> Executor::shutdown(ShutdownOptions options) {
  if (simulated_loop() == nullptr) return close(options);
  close({.wait = false, .cancel_futures = options.cancel_futures});
  auto ended = simulated().close(options);
  return options.wait ? ended : done_now();
}

// What execute() throws is for the caller to hear, and its future is not to be cancelled before.
void Executor::hand_over(detail::ExecutorCall& call, bool patient) {
  Work work(detail::CallRef(&call), patient);
  try {
    if (Loop* const loop = simulated_loop()) {
      simulated().execute(*loop, work);
    } else {
      execute(work);
    }
  } catch (...) {
    (void)std::move(work).take();
    throw;
  }
}

}  // namespace coil
