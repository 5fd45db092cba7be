// Who may run a task next, and who may touch the leaf it is suspended in: one atomic word.
//
//   Suspended  the task has left its thread; its leaf (the innermost awaiter) is published
//   Woken      the leaf's wake-up has come while somebody still held the task
//   Hooking    a canceller is inside the leaf's cancel hook, so the task must not resume; or
//              somebody looks at it: hold(), and then abandon_hook() until it no longer says Retry
//   Edge       Task::cancel is pending: the next suspension throws, once
//   Level      a scope around the task may be cancelled: look before every suspension
//   Done       finished for good
//
//   the task's thread            the wake source             a canceller, any thread
//   1. arm the leaf              a. wake()                   i.   request(): Suspended, not Woken,
//   2. suspend(): sets           b. Suspended and not             not Hooking -> sets Hooking
//      Suspended, unless Woken      Hooking: clears it and   ii.  calls the hook
//      or a cancel came first       schedules; else sets     iii. end_hook(): clears Hooking, and
//                                   Woken and leaves              if Woken came: schedules
//
// Every step is a read-modify-write of the word, so they have one order, and exactly one party
// gets the right to make the task runnable. The leaf and `resume` are written before 2 (release)
// and read after b and i (acquire). Between i and iii the frame cannot go away.
// Kept by tests/model/task_state_model.cpp, "a suspended task is scheduled exactly once".
#pragma once

#include <coil/detail/atomic.hpp>
#include <cstdint>

namespace coil::detail {

class TaskState {
 public:
  enum class Suspended : std::uint8_t { Yes, Woken, CancelFirst };
  enum class Wake : std::uint8_t { Schedule, Left };
  enum class Request : std::uint8_t { Hook, Flagged, Done };
  enum Bit : std::uint32_t {
    SuspendedBit = 1,
    WokenBit = 2,
    HookingBit = 4,
    EdgeBit = 8,
    LevelBit = 16,
    DoneBit = 32,
  };
  static constexpr std::uint32_t cancel_bits = EdgeBit | LevelBit;

  // The task's thread, once its leaf is armed.
  //   Yes          the task is out of this thread's hands
  //   Woken        the wake-up came already: go on running
  //   CancelFirst  a cancel came after the leaf was armed: the caller runs the hook itself and
  //                then calls end_hook() (Suspended and Hooking are set)
  [[nodiscard]] Suspended suspend() noexcept {
    auto old = word_.load(std::memory_order_acquire);
    for (;;) {
      std::uint32_t next = old | SuspendedBit;
      auto outcome = Suspended::Yes;
      if ((old & WokenBit) != 0) {
        next = old & ~WokenBit;
        outcome = Suspended::Woken;
      } else if ((old & cancel_bits) != 0) {
        next |= HookingBit;
        outcome = Suspended::CancelFirst;
      }
      if (word_.compare_exchange_weak(old, next, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return outcome;
    }
  }

  // The leaf's wake source, once per suspension. Schedule: the caller makes the task runnable.
  [[nodiscard]] Wake wake() noexcept {
    auto old = word_.load(std::memory_order_acquire);
    for (;;) {
      const bool free = (old & (SuspendedBit | HookingBit)) == SuspendedBit;
      const std::uint32_t next = free ? old & ~SuspendedBit : old | WokenBit;
      if (word_.compare_exchange_weak(old, next, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return free ? Wake::Schedule : Wake::Left;
    }
  }

  // Any thread. Edge: flagged only if no hook can be called now. Level: always flagged.
  // Hook: the caller owns the suspension until end_hook().
  [[nodiscard]] Request request(Bit kind) noexcept {
    auto old = word_.load(std::memory_order_acquire);
    for (;;) {
      if ((old & DoneBit) != 0) return Request::Done;
      const bool hook = (old & (SuspendedBit | WokenBit | HookingBit)) == SuspendedBit;
      std::uint32_t next = old;
      if (hook) next |= HookingBit;
      if (!hook || kind == LevelBit) next |= kind;
      if (word_.compare_exchange_weak(old, next, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return hook ? Request::Hook : Request::Flagged;
    }
  }

  // Ends what Request::Hook or Suspended::CancelFirst began. `flag`: bits to leave pending (Edge,
  // when the hook could not take the cancel). Schedule: the caller makes the task runnable.
  [[nodiscard]] Wake end_hook(std::uint32_t flag) noexcept {
    auto old = word_.load(std::memory_order_acquire);
    for (;;) {
      std::uint32_t next = (old & ~static_cast<std::uint32_t>(HookingBit)) | flag;
      const bool woken = (old & WokenBit) != 0;
      if (woken) next &= ~(SuspendedBit | WokenBit);
      if (word_.compare_exchange_weak(old, next, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return woken ? Wake::Schedule : Wake::Left;
    }
  }

  // Ends a hold in which no hook was called, unless a cancel was flagged meanwhile (Retry: the
  // caller still holds the suspension and looks again).
  enum class Abandon : std::uint8_t { Retry, Schedule, Left };
  [[nodiscard]] Abandon abandon_hook() noexcept {
    auto old = word_.load(std::memory_order_acquire);
    for (;;) {
      if ((old & cancel_bits) != 0) return Abandon::Retry;
      const bool woken = (old & WokenBit) != 0;
      std::uint32_t next = old & ~static_cast<std::uint32_t>(HookingBit);
      if (woken) next &= ~(SuspendedBit | WokenBit);
      if (word_.compare_exchange_weak(old, next, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return woken ? Abandon::Schedule : Abandon::Left;
    }
  }

  // To look at a suspended task. Held: nobody resumes it or enters its leaf until let_go.
  //   Busy    somebody else is at its leaf just now
  //   Moving  it runs, or is on its way to
  enum class Hold : std::uint8_t { Held, Busy, Moving };
  [[nodiscard]] Hold hold() noexcept {
    auto old = word_.load(std::memory_order_acquire);
    for (;;) {
      if ((old & HookingBit) != 0) return Hold::Busy;
      if ((old & SuspendedBit) == 0) return Hold::Moving;
      if (word_.compare_exchange_weak(old, old | HookingBit, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return Hold::Held;
    }
  }

  void flag(Bit kind) noexcept { word_.fetch_or(kind, std::memory_order_acq_rel); }
  // True if the bit was set. The task's thread.
  bool take(Bit kind) noexcept {
    if ((word_.load(std::memory_order_relaxed) & kind) == 0) return false;
    return (word_.fetch_and(~static_cast<std::uint32_t>(kind), std::memory_order_acq_rel) & kind) !=
           0;
  }
  // The task's thread. A plain store: a flag that it overwrites means nothing to a task that has
  // ended, and a flag that comes after it leaves Done in place.
  void set_done() noexcept { word_.store(DoneBit, std::memory_order_release); }

  [[nodiscard]] bool cancel_pending() const noexcept {
    return (word_.load(std::memory_order_acquire) & cancel_bits) != 0;
  }
  [[nodiscard]] bool suspended() const noexcept {
    return (word_.load(std::memory_order_acquire) & SuspendedBit) != 0;
  }

 private:
  Atomic<std::uint32_t> word_{0};
};

}  // namespace coil::detail
