// A timer as core sees it: a node in some loop's wheel, armed on one loop, disarmed from any.
//
// Invariant: `expire` runs under the wheel's lock, `fire` after it on the wheel's loop. An owner
// whose disarm_timer() returned true will see neither; one that got false has been expired. After
// expire() the wheel touches the node again only if it has a `fire`.
#pragma once

#include <coil/time.hpp>
#include <cstdint>

namespace coil::detail {

class CancelWork;
class TimerWheel;
struct Timer;

struct TimerKind {
  // Takes note of the deadline, quickly; cancels that follow from it are added to the work.
  void (*expire)(Timer&, CancelWork&) noexcept = nullptr;
  // Does what the timer is for; may destroy it. May be null.
  void (*fire)(Timer&) noexcept = nullptr;
};

struct Timer {
  explicit constexpr Timer(const TimerKind& k) noexcept : kind(&k) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  const TimerKind* kind;
  TimePoint deadline = never;
  // The wheel's own: where the node is linked, and in which order it was armed.
  Timer* previous = nullptr;
  Timer* next = nullptr;
  std::uint64_t order = 0;
  TimerWheel* wheel = nullptr;
  std::int32_t slot = -1;  // < 0: not armed
};

}  // namespace coil::detail
