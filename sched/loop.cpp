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
bool Loop::is_simulated() const noexcept {
  return worker_->pool().settings().backend == Backend::sim;
}
bool Loop::get_debug() const noexcept { return worker_->pool().debug(); }
void Loop::set_debug(bool on) noexcept { worker_->pool().set_debug(on); }
Duration Loop::slow_callback_duration() const noexcept {
  return worker_->pool().slow_callback_duration();
}
void Loop::set_slow_callback(Duration limit) noexcept {
  worker_->pool().set_slow_callback_duration(limit);
}

namespace {

// Without a lock the loop's own lists would break: refused in every mode, not only in debug mode.
void require_inside(detail::WorkerPool& pool, const char* operation) {
  if (pool.closed()) throw LoopClosed(operation);
  if (!pool.is_inside())
    throw std::runtime_error(
        std::string(operation) +
        ": Non-thread-safe operation invoked on an event loop other than the current one; from a "
        "thread that is no loop of this Runner use call_soon_threadsafe");
}

}  // namespace

detail::LoopEntry::LoopEntry(Loop& loop, const char* operation) : pool_(&Worker::of(loop).pool()) {
  if (pool_->is_inside()) {
    pool_ = nullptr;
  } else if (!pool_->gate().enter()) {
    throw LoopClosed(operation);
  }
}
detail::LoopEntry::~LoopEntry() {
  if (pool_ != nullptr) pool_->gate().leave();
}

Handle Loop::schedule_soon(detail::UniqueFunction<void()> fn, bool threadsafe) {
  if (!threadsafe) require_inside(worker_->pool(), "call_soon");
  const char* const operation = threadsafe ? "call_soon_threadsafe" : "call_soon";
  const detail::LoopEntry entry(*this, operation);
  auto* call = new ScheduledCall(std::move(fn));
  Handle handle(call);
  if (!threadsafe && detail::current_worker() == worker_) {
    worker_->push_pinned(*call);
  } else if (!worker_->post(*call)) {
    call->loop_done();  // nobody will run it
    throw LoopClosed(operation);
  }
  return handle;
}

Handle Loop::schedule_at(TimePoint when, detail::UniqueFunction<void()> fn) {
  require_inside(worker_->pool(), "call_later, call_at");
  auto* call = new ScheduledCall(std::move(fn));
  call->due = when;
  Handle handle(call);
  if (detail::current_worker() == worker_) {
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
