// How long a loop has been idle, the stretch in progress included. Written by the loop, read by
// any thread.
//
//   the loop                        a reader
//   1. begin(): since_              a. since_ (acquire)
//   2. end(): total_ (release)      b. total_ (acquire)
//   3.        since_ = 0 (release)  c. since_ again: another one than in a, and it starts over
//
// a that sees 3 makes b see 2, and b that sees 2 makes c see 1 or later: no stretch counts twice,
// none is missing.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/time.hpp>
#include <cstdint>

namespace coil::detail {

class IdleClock {
 public:
  void begin(TimePoint now) noexcept {
    since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  // Gives the length of the stretch.
  Duration end(TimePoint now) noexcept {
    const Duration stretch =
        now.time_since_epoch() - Duration(since_.load(std::memory_order_relaxed));
    total_.store(total_.load(std::memory_order_relaxed) + stretch.count(),
                 std::memory_order_release);
    since_.store(0, std::memory_order_release);
    return stretch;
  }

  // Any thread; `now` is read before.
  [[nodiscard]] Duration read(TimePoint now) const noexcept {
    for (;;) {
      const std::int64_t since = since_.load(std::memory_order_acquire);
      const Duration total(total_.load(std::memory_order_acquire));
      if (since_.load(std::memory_order_acquire) != since) continue;
      const Duration stretch = now.time_since_epoch() - Duration(since);
      return since == 0 || stretch < Duration::zero() ? total : total + stretch;
    }
  }

 private:
  Atomic<std::int64_t> since_{0};  // 0: not idle
  Atomic<std::int64_t> total_{0};
};

}  // namespace coil::detail
