#include <coil/loop.hpp>
#include <memory>
#include <string>
#include <utility>

#include "scheduled_call.hpp"
#include "worker_pool.hpp"

namespace coil {

using detail::ScheduledCall;

namespace {

// Arms a call's timer on its own loop; if it is dropped unrun, as when the loop closes, so is that.
class ArmCall {
 public:
  ArmCall(ScheduledCall& call, Handle handle, detail::Worker& worker) noexcept
      : call_(&call), handle_(std::move(handle)), worker_(&worker) {}
  ArmCall(ArmCall&& other) noexcept
      : call_(std::exchange(other.call_, nullptr)),
        handle_(std::move(other.handle_)),
        worker_(other.worker_) {}
  ArmCall& operator=(ArmCall&&) = delete;
  ~ArmCall() {
    if (call_ != nullptr) call_->abandon();
  }

  void operator()() {
    ScheduledCall& call = *std::exchange(call_, nullptr);
    if (call.cancelled()) return call.abandon();
    worker_->timers().arm(call, call.due);
    // Cancelled just before it was armed: then nobody but us disarms it.
    if (call.cancelled() && detail::TimerWheel::disarm(call)) call.abandon();
  }

 private:
  ScheduledCall* call_;
  Handle handle_;
  detail::Worker* worker_;
};

}  // namespace

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

// Without a lock the loop's own lists would break: refused in every mode, not only in debug mode.
void Loop::require_inside(const char* operation) const {
  const detail::WorkerPool& pool = worker_->pool();
  if (pool.closed()) throw LoopClosed(operation);
  if (!pool.is_inside() && (!driver_ || pool.driven()))
    throw std::runtime_error(
        std::string(operation) +
        ": Non-thread-safe operation invoked on an event loop other than the current one; from a "
        "thread that is no loop of this Runner use call_soon_threadsafe");
}

detail::LoopEntry::LoopEntry(Loop& loop, const char* operation) : pool_(&Worker::of(loop).pool()) {
  if (pool_->is_inside()) {
    pool_ = nullptr;
  } else if (!pool_->gate().enter()) {
    throw LoopClosed(operation);
  }
}
detail::TaskEntry::TaskEntry(Loop& loop) : LoopEntry(loop, "create_task") {
  if (Worker::of(loop).pool().refuses_tasks()) throw LoopClosed("create_task");
}
detail::LoopEntry::~LoopEntry() {
  if (pool_ != nullptr) pool_->gate().leave();
}

Handle Loop::schedule_soon(detail::UniqueFunction<void()> fn, bool threadsafe) {
  if (!threadsafe) require_inside("call_soon");
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
  require_inside("call_later, call_at");
  const detail::LoopEntry entry(*this, "call_at");
  auto* call = new ScheduledCall(std::move(fn));
  call->due = when;
  Handle handle(call);
  if (detail::current_worker() == worker_) {
    worker_->timers().arm(*call, when);
    return handle;
  }
  // Timers are armed on their own loop only.
  worker_->timers().prepare(*call);
  auto* arm = new ScheduledCall(ArmCall(*call, handle, *worker_));
  const Handle arming(arm);
  if (!worker_->post(*arm)) {
    arm->loop_done();
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

LoopHandle Loop::handle() const { return {worker_->loop(), worker_->pool().gate()}; }

LoopHandle::LoopHandle(Loop& loop, detail::Gate& gate) noexcept : loop_(&loop), gate_(&gate) {
  gate_->add_ref();
}
LoopHandle::LoopHandle(const LoopHandle& other) noexcept : LoopHandle(*other.loop_, *other.gate_) {}
LoopHandle& LoopHandle::operator=(const LoopHandle& other) noexcept {
  other.gate_->add_ref();
  gate_->release();
  loop_ = other.loop_;
  gate_ = other.gate_;
  return *this;
}
LoopHandle::~LoopHandle() { gate_->release(); }

bool LoopHandle::is_closed() const noexcept { return gate_->is_shut(); }

// Only the gate is looked at before we are inside: the loop may have gone.
LoopHandle::Entry::Entry(const LoopHandle& handle, const char* operation) : gate_(handle.gate_) {
  detail::Worker* here = detail::current_worker();
  if (here != nullptr && &here->pool().gate() == gate_) {
    gate_ = nullptr;
  } else if (!gate_->enter()) {
    throw LoopClosed(operation);
  }
}
LoopHandle::Entry::~Entry() {
  if (gate_ != nullptr) gate_->leave();
}

Loop* get_running_loop_or_null() noexcept { return detail::running_loop(); }
Loop& get_running_loop() { return detail::require_loop("get_running_loop"); }

}  // namespace coil
