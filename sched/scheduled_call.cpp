#include "scheduled_call.hpp"

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
}

bool ScheduledCall::cancel() noexcept {
  auto expected = State::Waiting;
  if (!state_.compare_exchange_strong(expected, State::Cancelled, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
    return false;
  // Still armed: the timer's reference comes back here. In a queue it comes back when it is run.
  if (TimerWheel::disarm(*this)) release();
  return true;
}

void ScheduledCall::run_now(Runnable& runnable) noexcept {
  auto& self = static_cast<ScheduledCall&>(runnable);
  auto expected = State::Waiting;
  if (self.state_.compare_exchange_strong(expected, State::Running, std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
    try {
      self.fn_();
    } catch (...) {
      ExceptionContext context;
      context.message = "Exception in callback";
      context.exception = std::current_exception();
      report(context);
    }
  }
  self.fn_ = {};
  self.release();
}

void ScheduledCall::expire(Timer&, CancelWork&) noexcept {}

// Due callbacks queue up behind what is ready, as in asyncio.
void ScheduledCall::fire(Timer& timer) noexcept {
  current_worker()->push_pinned(static_cast<ScheduledCall&>(timer));
}

}  // namespace detail

Handle::Handle(const Handle& other) noexcept : call_(other.call_) {
  if (call_ != nullptr) call_->add_ref();
}
Handle::Handle(Handle&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
Handle& Handle::operator=(Handle other) noexcept {
  std::swap(call_, other.call_);
  return *this;
}
Handle::~Handle() {
  if (call_ != nullptr) call_->release();
}
bool Handle::cancel() const { return call_ != nullptr && call_->cancel(); }
bool Handle::cancelled() const { return call_ != nullptr && call_->cancelled(); }
TimePoint Handle::when() const { return call_ != nullptr ? call_->due : TimePoint::min(); }

}  // namespace coil
