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
  explicit Timeout(TimePoint when) noexcept;
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
  static void expire(detail::Timer& timer, detail::CancelWork& work) noexcept;
  static const detail::TimerKind timer_kind;

  detail::TaskBase* task_ = nullptr;
  TimePoint when_;
  int cancelling_ = 0;
  bool armed_ = false;
  detail::Atomic<State> state_{State::Created};
};

namespace detail {

template <class Fn, class T = BodyResult<Fn, Timeout>>
Coro<T> run_in_timeout(Fn fn, TimePoint when) {
  Timeout scope(when);
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
  return detail::run_in_timeout(std::move(fn), limit.deadline(detail::now()));
}
template <class Fn>
auto timeout_at(std::optional<TimePoint> when, Fn fn) -> Coro<detail::BodyResult<Fn, Timeout>> {
  return detail::run_in_timeout(std::move(fn), when.value_or(detail::never));
}

namespace detail {

// asyncio: what is done gives its result; anything else is cancelled at once and awaited.
template <class A, class T = KeptResult<AwaitResult<A>>>
Coro<T> wait_for_now(A awaitable) {
  const auto inner = ensure_future(std::move(awaitable));
  if (!inner.ref->done()) {
    inner.ref->cancel({});
    co_await FutureWait(inner.ref);
    if (inner.ref->cancelled()) throw TimeoutError();
  }
  inner.ref->throw_unless_value();
  if constexpr (!std::is_void_v<T>) co_return read_result<T>(*inner.holder, inner.own);
}

template <class A, class T = KeptResult<AwaitResult<A>>>
Coro<T> wait_for_limited(A awaitable, TimeLimit limit) {
  Timeout scope(limit.deadline(now()));
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
// limit of zero or less gives only what is done already.
template <Awaitable A>
Coro<detail::KeptResult<AwaitResult<A>>> wait_for(A awaitable, TimeLimit limit) {
  if (limit.has_value() && limit.value() <= Duration::zero())
    return detail::wait_for_now(std::move(awaitable));
  return detail::wait_for_limited(std::move(awaitable), limit);
}

}  // namespace coil
