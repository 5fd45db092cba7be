// What call_soon, call_later and call_at schedule.
//
//   state_: Waiting -> Running (the loop) or Cancelled (anybody), by compare-exchange, once
// References: one for whoever will run it (queue, timer), one per Handle.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/runnable.hpp>
#include <coil/detail/timer.hpp>
#include <coil/detail/unique_function.hpp>
#include <cstdint>

namespace coil::detail {

class ScheduledCall : public FrameAllocated, public Runnable, public Timer {
 public:
  explicit ScheduledCall(UniqueFunction<void()> fn) noexcept;

  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  // Any thread.
  bool cancel() noexcept;
  [[nodiscard]] bool cancelled() const noexcept {
    return state_.load(std::memory_order_acquire) == State::Cancelled;
  }
  TimePoint due = TimePoint::min();

 private:
  enum class State : std::uint8_t { Waiting, Running, Cancelled };

  static void run_now(Runnable& runnable) noexcept;
  static void expire(Timer& timer, CancelWork& work) noexcept;
  static void fire(Timer& timer) noexcept;
  static const TimerKind timer_kind;

  Atomic<std::uint32_t> references_{2};
  Atomic<State> state_{State::Waiting};
  UniqueFunction<void()> fn_;
};

}  // namespace coil::detail
