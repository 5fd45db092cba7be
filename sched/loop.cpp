#include <coil/loop.hpp>
#include <memory>
#include <string>

#include "scheduled_call.hpp"
#include "worker_pool.hpp"

namespace coil {

using detail::ScheduledCall;

unsigned Loop::index() const noexcept { return worker_->index(); }
TimePoint Loop::time() const noexcept { return worker_->now(); }
bool Loop::is_closed() const noexcept { return worker_->pool().closed(); }
bool Loop::get_debug() const noexcept { return worker_->pool().settings().debug; }

void Loop::check_open(const char* operation) const {
  if (is_closed()) throw LoopClosed(operation);
}

Handle Loop::schedule_soon(detail::UniqueFunction<void()> fn, bool threadsafe) {
  detail::Worker* here = detail::current_worker();
  const bool inside = here != nullptr && &here->pool() == &worker_->pool();
  if (!threadsafe && !inside)
    throw std::runtime_error(
        "call_soon: not on a loop of this Runner; use call_soon_threadsafe");
  auto* call = new ScheduledCall(std::move(fn));
  Handle handle(call);
  if (here == worker_ && !threadsafe) {
    worker_->push_pinned(*call);
  } else if (!worker_->post(*call)) {
    call->loop_done();  // nobody will run it
    throw LoopClosed(threadsafe ? "call_soon_threadsafe" : "call_soon");
  }
  return handle;
}

Handle Loop::schedule_at(TimePoint when, detail::UniqueFunction<void()> fn) {
  detail::Worker* here = detail::current_worker();
  if (here == nullptr || &here->pool() != &worker_->pool())
    throw std::runtime_error(
        "call_later, call_at: not on a loop of this Runner; use call_soon_threadsafe to get there");
  auto* call = new ScheduledCall(std::move(fn));
  call->due = when;
  Handle handle(call);
  if (here == worker_) {
    worker_->timers().arm(*call, when);
    return handle;
  }
  // Timers are armed on their own loop only.
  worker_->timers().prepare(*call);
  auto* arm = new ScheduledCall([handle, call, worker = worker_] {
    if (call->cancelled()) return call->loop_done();
    worker->timers().arm(*call, call->due);
    // Cancelled just before it was armed: then nobody but us disarms it.
    if (call->cancelled() && detail::TimerWheel::disarm(*call)) call->loop_done();
  });
  const Handle arming(arm);
  if (!worker_->post(*arm)) {
    arm->loop_done();
    call->loop_done();
    throw LoopClosed("call_at");
  }
  return handle;
}

void Loop::set_exception_handler(detail::UniqueFunction<void(const ExceptionContext&)> fn) {
  worker_->pool().exception_handler().set(std::move(fn));
}

void Loop::call_exception_handler(const ExceptionContext& context) {
  worker_->pool().exception_handler().call(context);
}

Loop* get_running_loop_or_null() noexcept { return detail::running_loop(); }
Loop& get_running_loop() { return detail::require_loop("get_running_loop"); }

}  // namespace coil
