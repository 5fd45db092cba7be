// One loop's timers: arming and disarming in constant time, expiry in order of deadline.
//
// Far timers lie in a hierarchical wheel (eight levels of 64 slots; a slot of the lowest level is
// 65.536 us wide). A slot whose time has come moves its timers one level down; from the lowest
// level they go into a small heap, which orders them exactly: by deadline, then by arming.
// Invariant: every timer in the wheel has tick(deadline) > elapsed_; every other is in the heap.
//
// arm() on the owning loop only, disarm() from any thread: all under the lock. See timer.hpp.
#pragma once

#include <array>
#include <coil/detail/cancel_work.hpp>
#include <coil/detail/spin_lock.hpp>
#include <coil/detail/timer.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coil::detail {

class TimerWheel {
 public:
  explicit TimerWheel(TimePoint start) noexcept : elapsed_(tick_of(start)) {}

  void arm(Timer& timer, TimePoint deadline) noexcept;
  // Before a timer is shown to other threads that may disarm it: arm() will not write this again.
  void prepare(Timer& timer) noexcept {
    if (timer.wheel != this) timer.wheel = this;
  }
  // True: it will not expire. False: it was not armed, or has expired.
  static bool disarm(Timer& timer) noexcept;

  // Disarms some timer and gives it; nullptr: there is none.
  [[nodiscard]] Timer* take_any() noexcept;

  // Expires what is due. Gives how many timers were.
  std::size_t advance(TimePoint now) noexcept;
  // Nothing expires before this; never if there is no timer. Owner.
  [[nodiscard]] TimePoint next_deadline() noexcept;
  // Owner, without the lock: a bound that only arm() lowers. Cheap enough for every turn.
  [[nodiscard]] TimePoint hint() const noexcept { return hint_; }
  [[nodiscard]] std::size_t size() noexcept;

 private:
  static constexpr int tick_bits = 16;
  static constexpr int slot_bits = 6;
  static constexpr std::size_t levels = 8;
  static constexpr std::size_t slots = 1U << slot_bits;
  static constexpr std::int32_t not_armed = -1;
  static constexpr std::int32_t in_wheel = -2;  // minus the number of its slot

  struct Slot {
    Timer* first = nullptr;
  };
  struct Next {
    std::uint64_t tick;
    std::size_t level;
    std::size_t slot;
  };

  [[nodiscard]] static std::uint64_t tick_of(TimePoint when) noexcept;
  [[nodiscard]] static bool before(const Timer& a, const Timer& b) noexcept;
  void insert(Timer& timer);
  void unlink(Timer& timer) noexcept;
  [[nodiscard]] bool next_occupied(Next& next) const noexcept;
  void cascade(std::uint64_t target);
  void heap_push(Timer& timer);
  void heap_remove(std::size_t index) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;
  [[nodiscard]] TimePoint next_deadline_locked() const noexcept;

  SpinLock lock_;
  std::uint64_t elapsed_;
  std::uint64_t next_order_ = 0;
  std::size_t size_ = 0;
  TimePoint hint_ = never;
  std::array<std::uint64_t, levels> occupied_{};
  std::array<std::array<Slot, slots>, levels> wheel_{};
  std::vector<Timer*> heap_;
};

}  // namespace coil::detail
