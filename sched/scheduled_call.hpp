// What call_soon, call_later and call_at schedule.
//
// One word says what became of it:
//   Running    the loop has begun to call it       Cancelled  nobody will
//   LoopDone   neither queue nor timer holds it    NoHandles  the last Handle has gone
//   Visited    a thread that is not the timer's loop disarms it, and looks at its wheel
// Running and Cancelled exclude each other. It is freed by whoever sets the second of LoopDone and
// NoHandles. A visitor comes only before LoopDone is set, and whoever sets that waits for a visitor
// to leave: so the wheel is there as long as anybody looks at it. A visitor that has disarmed the
// timer itself sets LoopDone as it leaves. fn_ belongs to whoever is about to set LoopDone.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/context_slot.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/runnable.hpp>
#include <coil/detail/timer.hpp>
#include <coil/detail/unique_function.hpp>
#include <cstdint>

namespace coil::detail {

class ScheduledCall : public FrameAllocated, public Runnable, public Timer {
 public:
  explicit ScheduledCall(UniqueFunction<void()> fn) noexcept;

  void add_handle() noexcept { handles_.fetch_add(1, std::memory_order_relaxed); }
  void drop_handle() noexcept;
  // The queue or timer lets go of it.
  void loop_done() noexcept;
  // So, and nobody is going to call it.
  void abandon() noexcept;
  // Any thread. False: it has begun, or was cancelled before.
  bool cancel() noexcept;
  // A timer of a loop that is closed; others than ours have no owner left that would care.
  static void drop(Timer& timer) noexcept;
  [[nodiscard]] bool cancelled() const noexcept {
    return (word_.load(std::memory_order_acquire) & Cancelled) != 0;
  }
  TimePoint due = TimePoint::min();

 private:
  enum Bit : std::uint32_t {
    Running = 1,
    Cancelled = 2,
    LoopDone = 4,
    NoHandles = 8,
    Visited = 16
  };

  [[nodiscard]] bool begin_visit() noexcept;
  void wait_for_visitor() noexcept;
  [[nodiscard]] bool mark_cancelled() noexcept;
  [[nodiscard]] bool cancel_here() noexcept;
  [[nodiscard]] bool cancel_from_elsewhere() noexcept;
  static void run_now(Runnable& runnable) noexcept;
  void call();
  static void expire(Timer& timer, CancelWork& work) noexcept;
  static void fire(Timer& timer) noexcept;
  static const TimerKind timer_kind;

  ContextSlot context_;  // copied from whoever scheduled it
  Atomic<std::uint32_t> handles_{1};
  Atomic<std::uint32_t> word_{0};
  UniqueFunction<void()> fn_;
};

}  // namespace coil::detail
