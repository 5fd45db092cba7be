#include <coil/detail/check.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/timeout.hpp>
#include <stdexcept>

namespace coil {

constinit const detail::TimerKind Timeout::timer_kind{&Timeout::expire, nullptr};

Timeout::Timeout(TimePoint when, bool over) noexcept
    : Timer(timer_kind), when_(when), over_(over) {}

Timeout::~Timeout() { COIL_CHECK(!armed_, "a timeout is destroyed while its body runs"); }

void Timeout::enter(detail::TaskBase& task) {
  task_ = &task;
  cancelling_ = task.cancelling();
  cancel_pending_ = task.cancel_pending();
  state_.store(State::Entered, std::memory_order_relaxed);
  // Without another look at the clock, which would cost as much as all the rest. A deadline that
  // has passed since comes up with the next timers.
  if (over_) return expire_now();
  armed_ = when_ != detail::never;
  if (armed_) arm_timer(*this, when_);
}

void Timeout::expire_now() noexcept {
  detail::CancelWork work;
  expire(*this, work);
  work.run();
}

void Timeout::disarm() noexcept {
  if (!std::exchange(armed_, false)) return;
  // False: it has expired; expire() ran under the wheel's lock, so its edge is counted already.
  (void)disarm_timer(*this);
}

void Timeout::reschedule(std::optional<TimePoint> when) {
  switch (state_.load(std::memory_order_acquire)) {
    case State::Entered:
      break;
    case State::Created:
      throw std::runtime_error("Timeout has not been entered");
    case State::Expiring:
      throw std::runtime_error("Cannot change state of expiring Timeout");
    case State::Expired:
      throw std::runtime_error("Cannot change state of expired Timeout");
    case State::Exited:
      throw std::runtime_error("Cannot change state of finished Timeout");
  }
  (void)detail::require_loop("Timeout::reschedule");
  disarm();
  if (state_.load(std::memory_order_acquire) != State::Entered) return;  // it was too late
  when_ = when.value_or(detail::never);
  if (when_ == detail::never) return;
  if (when_ <= detail::now()) return expire_now();
  armed_ = true;
  arm_timer(*this, when_);
}

std::optional<TimePoint> Timeout::when() const noexcept {
  if (when_ == detail::never) return std::nullopt;
  return when_;
}

bool Timeout::expired() const noexcept {
  const State state = state_.load(std::memory_order_acquire);
  return state == State::Expiring || state == State::Expired;
}

// Under the wheel's lock (or on the task's own thread): the task is inside, so it is alive.
void Timeout::expire(detail::Timer& timer, detail::CancelWork& work) noexcept {
  auto& self = static_cast<Timeout&>(timer);
  self.state_.store(State::Expiring, std::memory_order_release);
  self.task_->request_edge(work);
}

bool Timeout::leave(const std::exception_ptr& error) {
  disarm();
  if (state_.load(std::memory_order_acquire) != State::Expiring) {
    state_.store(State::Exited, std::memory_order_relaxed);
    return false;
  }
  state_.store(State::Expired, std::memory_order_relaxed);
  const bool ours = task_->uncancel() <= cancelling_;
  // Ours has not been thrown: the function ended first. One that was pending before us stays.
  if (ours && !cancel_pending_ && !(error && detail::is_cancelled_error(error)))
    task_->absorb_edge();
  // A scope's cancellation is left to that scope.
  return ours && error && detail::is_cancelled_error(error) &&
         !detail::is_level_cancelled_error(error);
}

}  // namespace coil
