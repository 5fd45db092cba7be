#include "scheduled_call.hpp"

#include <coil/detail/spin_lock.hpp>
#include <coil/exceptions.hpp>
#include <coil/handle.hpp>
#include <utility>

#include "worker_pool.hpp"

namespace coil {
namespace detail {

constinit const TimerKind ScheduledCall::timer_kind{&ScheduledCall::expire, &ScheduledCall::fire};

ScheduledCall::ScheduledCall(UniqueFunction<void()> fn) noexcept
    : Timer(timer_kind), fn_(std::move(fn)) {
  Runnable::run = &run_now;
  if (context_in_use()) context_.inherit_current();
}

void ScheduledCall::drop_handle() noexcept {
  // Alone, nobody else can copy a handle: no locked instruction is needed.
  if (handles_.load(std::memory_order_acquire) != 1 &&
      handles_.fetch_sub(1, std::memory_order_acq_rel) != 1)
    return;
  if ((word_.load(std::memory_order_acquire) & LoopDone) != 0 ||
      (word_.fetch_or(NoHandles, std::memory_order_acq_rel) & LoopDone) != 0)
    delete this;
}

void ScheduledCall::loop_done() noexcept {
  const auto old = word_.fetch_or(LoopDone, std::memory_order_acq_rel);
  if ((old & Visited) != 0) [[unlikely]]
    wait_for_visitor();
  if ((old & NoHandles) != 0) delete this;  // then there was no visitor: they hold a handle
}

void ScheduledCall::abandon() noexcept {
  word_.fetch_or(Cancelled, std::memory_order_acq_rel);
  fn_ = {};
  loop_done();
}

// False: it has begun, is over, or was cancelled. One at a time.
bool ScheduledCall::begin_visit() noexcept {
  auto old = word_.load(std::memory_order_acquire);
  for (;;) {
    if ((old & (Running | Cancelled | LoopDone)) != 0) return false;
    if ((old & Visited) != 0) {
      spin_wait_long();
      old = word_.load(std::memory_order_acquire);
    } else if (word_.compare_exchange_weak(old, old | Visited, std::memory_order_acq_rel,
                                           std::memory_order_acquire)) {
      return true;
    }
  }
}

// Acquire pairs with the end of the visit: its last look at the wheel is over.
void ScheduledCall::wait_for_visitor() noexcept {
  while ((word_.load(std::memory_order_acquire) & Visited) != 0) spin_wait_long();
}

bool ScheduledCall::mark_cancelled() noexcept {
  auto old = word_.load(std::memory_order_acquire);
  do {
    if ((old & (Running | Cancelled)) != 0) return false;
  } while (!word_.compare_exchange_weak(old, old | Cancelled, std::memory_order_acq_rel,
                                        std::memory_order_acquire));
  return true;
}

// Looks at the word first: the loops, and their timers, may be gone when it has been called. What
// was captured is destroyed at once where that is ours to do, last of all: a handle to this call
// may be in it.
bool ScheduledCall::cancel() noexcept {
  if ((word_.load(std::memory_order_acquire) & ~std::uint32_t{Visited}) != 0) return false;
  if (wheel == nullptr) return mark_cancelled();  // no timer: in a queue
  Worker* here = current_worker();
  if (here != nullptr && &here->timers() == wheel) return cancel_here();
  return cancel_from_elsewhere();
}

// On the timer's own loop.
bool ScheduledCall::cancel_here() noexcept {
  // In a queue: whoever takes it out finds it cancelled, and lets go of it.
  if (!TimerWheel::disarm(*this)) return mark_cancelled();
  const auto fn = std::move(fn_);
  const auto old = word_.fetch_or(Cancelled | LoopDone, std::memory_order_acq_rel);
  if ((old & Visited) != 0) [[unlikely]]
    wait_for_visitor();
  return (old & Cancelled) == 0;
}

bool ScheduledCall::cancel_from_elsewhere() noexcept {
  if (!begin_visit()) return false;
  bool disarmed = TimerWheel::disarm(*this);
  const bool first = mark_cancelled();
  // Its own loop may have armed it meanwhile, and looked at the word before us (see
  // Loop::schedule_at): one of us disarms it.
  if (!disarmed) disarmed = TimerWheel::disarm(*this);
  if (!disarmed) {
    word_.fetch_and(~std::uint32_t{Visited}, std::memory_order_acq_rel);
    return first;
  }
  const auto fn = std::move(fn_);
  word_.fetch_add(LoopDone - Visited, std::memory_order_acq_rel);  // one bit comes, the other goes
  return first;
}

void ScheduledCall::call() {
  if (!context_in_use()) return fn_();
  const ContextEntry entered(context_);
  fn_();
}

void ScheduledCall::run_now(Runnable& runnable) noexcept {
  auto& self = static_cast<ScheduledCall&>(runnable);
  const Bit fate = current_worker()->dropping() ? Cancelled : Running;
  const bool wanted = (self.word_.fetch_or(fate, std::memory_order_acq_rel) & Cancelled) == 0;
  if (wanted && fate == Running) {
    try {
      self.call();
    } catch (...) {
      ExceptionContext context;
      context.message = "Exception in callback";
      context.exception = std::current_exception();
      report(context);
    }
  }
  self.fn_ = {};
  self.context_.clear();
  self.loop_done();
}

void ScheduledCall::drop(Timer& timer) noexcept {
  if (timer.kind != &timer_kind) return;
  static_cast<ScheduledCall&>(timer).abandon();
}

void ScheduledCall::expire(Timer&, CancelWork&) noexcept {}

// Due callbacks queue up behind what is ready, as in asyncio.
void ScheduledCall::fire(Timer& timer) noexcept {
  current_worker()->push_pinned(static_cast<ScheduledCall&>(timer));
}

}  // namespace detail

Handle::Handle(const Handle& other) noexcept : call_(other.call_) {
  if (call_ != nullptr) call_->add_handle();
}
Handle::Handle(Handle&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
Handle& Handle::operator=(Handle other) noexcept {
  std::swap(call_, other.call_);
  return *this;
}
Handle::~Handle() {
  if (call_ != nullptr) call_->drop_handle();
}
bool Handle::cancel() const { return call_ != nullptr && call_->cancel(); }
bool Handle::cancelled() const { return call_ != nullptr && call_->cancelled(); }
TimePoint Handle::when() const { return call_ != nullptr ? call_->due : TimePoint::min(); }

}  // namespace coil
