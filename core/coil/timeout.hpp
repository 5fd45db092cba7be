// timeout, timeout_at, wait_for (asyncio.timeout, asyncio.wait_for).
//
// A timeout cancels the task once, as Task::cancel does, and turns the CancelledError that comes
// back into TimeoutError - unless somebody else asked for the cancel too: that stays a cancel.
#pragma once

#include <coil/cancel_scope.hpp>
#include <coil/coro.hpp>
#include <coil/detail/ensure_future.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/timer.hpp>
#include <coil/exceptions.hpp>
#include <coil/future.hpp>
#include <coil/task.hpp>
#include <coil/time.hpp>
#include <optional>
#include <utility>

namespace coil {

// Lives in timeout() until its function has ended. For the task that runs inside, and no other.
class Timeout : private detail::Timer {
 public:
  // `over`: it has passed already.
  explicit Timeout(TimePoint when, bool over = false) noexcept;
  ~Timeout();
  Timeout(const Timeout&) = delete;
  Timeout& operator=(const Timeout&) = delete;

  // Moves the deadline; std::nullopt: none. std::runtime_error once it has expired or ended.
  void reschedule(std::optional<TimePoint> when);
  [[nodiscard]] std::optional<TimePoint> when() const noexcept;
  // The deadline has passed while the function ran.
  [[nodiscard]] bool expired() const noexcept;

  // For Coil's own use: what timeout() does around the function. leave() tells whether `error` is
  // this timeout's doing, and TimeoutError is to be thrown in its place.
  void enter(detail::TaskBase& task);
  [[nodiscard]] bool leave(const std::exception_ptr& error);

 private:
  enum class State : unsigned char { Created, Entered, Expiring, Expired, Exited };

  void disarm() noexcept;
  void expire_now() noexcept;
  static void expire(detail::Timer& timer, detail::CancelWork& work) noexcept;
  static const detail::TimerKind timer_kind;

  detail::TaskBase* task_ = nullptr;
  TimePoint when_;
  int cancelling_ = 0;
  bool cancel_pending_ = false;  // when entered
  bool armed_ = false;
  bool over_;
  detail::Atomic<State> state_{State::Created};
};

namespace detail {

template <class Fn, class T = BodyResult<Fn, Timeout>>
Coro<T> run_in_timeout(Fn fn, TimeLimit limit, TimePoint when) {
  // The limit counts from here: only where it is awaited is it known which clock is meant.
  const TimePoint start = now();
  if (limit.has_value()) when = limit.deadline(start);
  Timeout scope(when, limit.has_value() ? limit.value() <= Duration::zero() : when <= start);
  scope.enter(co_await CurrentTask());
  KeptValue<T> value;
  std::exception_ptr error;
  try {
    decltype(auto) body = call_body(fn, scope);
    if constexpr (std::is_void_v<T>) {
      co_await to_await_as<decltype(body)>(body);
    } else {
      value.build(co_await to_await_as<decltype(body)>(body));
    }
  } catch (...) {
    error = std::current_exception();
  }
  if (scope.leave(error)) throw TimeoutError();
  if (error) std::rethrow_exception(std::move(error));
  if constexpr (!std::is_void_v<T>) co_return value.take();
}

}  // namespace detail

// Runs fn(timeout) or fn() and throws TimeoutError if it takes longer than the limit. The function
// is cancelled then, and awaited to its end.
template <class Fn>
auto timeout(TimeLimit limit, Fn fn) -> Coro<detail::BodyResult<Fn, Timeout>> {
  return detail::run_in_timeout(std::move(fn), limit, detail::never);
}
template <class Fn>
auto timeout_at(std::optional<TimePoint> when, Fn fn) -> Coro<detail::BodyResult<Fn, Timeout>> {
  return detail::run_in_timeout(std::move(fn), std::nullopt, when.value_or(detail::never));
}

namespace detail {

template <class A, class T = KeptResult<AwaitResult<A>>>
Coro<T> wait_for_limited(A awaitable, TimeLimit limit) {
  const bool over = limit.has_value() && limit.value() <= Duration::zero();
  if constexpr (is_coro<A>) {
    // As in asyncio it is cancelled before it has begun.
    if (over && awaitable) {
      awaitable.release().destroy();
      throw TimeoutError();
    }
  } else if constexpr (FutureLike<A>) {
    if (FutureAccess::ref(awaitable)->done()) limit = {};
  }
  Timeout scope(limit.has_value() ? limit.deadline(now()) : never, limit.has_value() && over);
  scope.enter(co_await CurrentTask());
  KeptValue<T> value;
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await to_await(awaitable);
    } else {
      value.build(co_await to_await(awaitable));
    }
  } catch (...) {
    error = std::current_exception();
  }
  if (scope.leave(error)) throw TimeoutError();
  if (error) std::rethrow_exception(std::move(error));
  if constexpr (!std::is_void_v<T>) co_return value.take();
}

}  // namespace detail

// Awaits `awaitable`, at most for the limit: then it is cancelled, awaited to its end, and
// TimeoutError is thrown. A result that came in time, or in spite of the cancel, is returned. A
// limit of zero or less gives only what is done already; a coroutine is not even begun.
template <Awaitable A>
Coro<detail::KeptResult<AwaitResult<A>>> wait_for(A awaitable, TimeLimit limit) {
  return detail::wait_for_limited(std::move(awaitable), limit);
}

}  // namespace coil
