// sleep (asyncio.sleep), checkpoint (trio.lowlevel.checkpoint).
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/sleep_awaiter.hpp>
#include <coil/time.hpp>
#include <utility>

namespace coil {

// Gives every other ready task of this loop a go, and delivers a pending cancellation: for long
// computations. Always suspends. Throws CancelledError.
[[nodiscard]] inline detail::YieldAwaiter checkpoint() noexcept { return {}; }

namespace detail {

// One awaiter for both: a positive time arms a timer, anything else yields once.
class SleepAwaiter : public NativeAwaiter {
 public:
  explicit SleepAwaiter(Duration d) noexcept : duration_(d) {}
  ~SleepAwaiter() {
    if (started_) until_.~SleepUntil();
  }
  SleepAwaiter(const SleepAwaiter&) = delete;
  SleepAwaiter& operator=(const SleepAwaiter&) = delete;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    if (!sleeps()) {
      ::new (&yield_) YieldAwaiter;
      return yield_.await_suspend(self);
    }
    ::new (&until_) SleepUntil(add_saturated(now(), duration_));
    started_ = true;
    return until_.await_suspend(self);
  }
  COIL_INLINED void await_resume() {
    if (sleeps()) {
      until_.await_resume();
    } else {
      yield_.await_resume();
    }
  }

 private:
  [[nodiscard]] bool sleeps() const noexcept { return duration_ > Duration::zero(); }

  Duration duration_;
  bool started_ = false;
  union {
    YieldAwaiter yield_;
    SleepUntil until_;
  };
};

// What sleep and its like return: may be copied and handed on (wait_for(sleep(1s), limit)), where
// the awaiter may not. The time runs from the await on.
struct Sleep {
  Duration duration;
  [[nodiscard]] SleepAwaiter operator co_await() const noexcept { return SleepAwaiter(duration); }
};
struct SleepTo {
  TimePoint when;
  [[nodiscard]] SleepUntil operator co_await() const noexcept { return SleepUntil(when); }
};

}  // namespace detail

// Suspends the task for `d`; zero or less yields once. Throws CancelledError, and
// std::invalid_argument for NaN.
template <detail::ChronoDuration D>
[[nodiscard]] detail::Sleep sleep(D d) {
  return {detail::to_duration(d)};
}

// The same, and then gives `value`.
template <detail::ChronoDuration D, class V>
[[nodiscard]] Coro<V> sleep(D d, V value) {
  co_await sleep(d);
  co_return value;
}

// Suspends the task until the loops' clock shows `when` (trio.sleep_until).
[[nodiscard]] inline detail::SleepTo sleep_until(TimePoint when) noexcept { return {when}; }

// Until cancelled (trio.sleep_forever).
[[nodiscard]] inline detail::SleepTo sleep_forever() noexcept { return {detail::never}; }

}  // namespace coil
