#include "timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <coil/detail/task_base.hpp>
#include <utility>

namespace coil::detail {

std::uint64_t TimerWheel::tick_of(TimePoint when) noexcept {
  const auto ns = when.time_since_epoch().count();
  return ns <= 0 ? 0 : static_cast<std::uint64_t>(ns) >> tick_bits;
}

bool TimerWheel::before(const Timer& a, const Timer& b) noexcept {
  return a.deadline != b.deadline ? a.deadline < b.deadline : a.order < b.order;
}

void TimerWheel::arm(Timer& timer, TimePoint deadline) noexcept {
  const SpinGuard guard(lock_);
  timer.deadline = deadline;
  timer.order = next_order_++;
  prepare(timer);
  insert(timer);
  ++size_;
  hint_ = std::min(hint_, deadline);
}

bool TimerWheel::disarm(Timer& timer) noexcept {
  if (timer.wheel == nullptr) return false;
  TimerWheel& wheel = *timer.wheel;
  const SpinGuard guard(wheel.lock_);
  if (timer.slot == not_armed) return false;
  wheel.unlink(timer);
  --wheel.size_;
  return true;
}

Timer* TimerWheel::take_any() noexcept {
  const SpinGuard guard(lock_);
  Next next{};
  Timer* timer = nullptr;
  if (!heap_.empty()) {
    timer = heap_.front();
  } else if (next_occupied(next)) {
    timer = wheel_[next.level][next.slot].first;
  } else {
    return nullptr;
  }
  unlink(*timer);
  --size_;
  return timer;
}

void TimerWheel::insert(Timer& timer) {
  const std::uint64_t tick = tick_of(timer.deadline);
  if (tick <= elapsed_) return heap_push(timer);
  const auto level = static_cast<std::size_t>(63 - std::countl_zero(tick ^ elapsed_)) / slot_bits;
  const std::size_t index = (tick >> (level * slot_bits)) & (slots - 1);
  Slot& slot = wheel_[level][index];
  timer.slot = in_wheel - static_cast<std::int32_t>(level * slots + index);
  timer.previous = nullptr;
  timer.next = slot.first;
  if (slot.first != nullptr) slot.first->previous = &timer;
  slot.first = &timer;
  occupied_[level] |= std::uint64_t{1} << index;
}

void TimerWheel::unlink(Timer& timer) noexcept {
  if (timer.slot >= 0) return heap_remove(static_cast<std::size_t>(timer.slot));
  const auto place = static_cast<std::size_t>(in_wheel - timer.slot);
  timer.slot = not_armed;
  if (timer.next != nullptr) timer.next->previous = timer.previous;
  if (timer.previous != nullptr) {
    timer.previous->next = timer.next;
    return;
  }
  const std::size_t level = place / slots;
  const std::size_t index = place % slots;
  wheel_[level][index].first = timer.next;
  if (timer.next == nullptr) occupied_[level] &= ~(std::uint64_t{1} << index);
}

bool TimerWheel::next_occupied(Next& next) const noexcept {
  for (std::size_t level = 0; level < levels; ++level) {
    if (occupied_[level] == 0) continue;
    next.level = level;
    next.slot = static_cast<std::size_t>(std::countr_zero(occupied_[level]));
    const auto shift = static_cast<int>(level * slot_bits);
    const std::uint64_t above = elapsed_ >> (shift + slot_bits) << (shift + slot_bits);
    next.tick = above | (std::uint64_t{next.slot} << shift);
    return true;
  }
  return false;
}

void TimerWheel::cascade(std::uint64_t target) {
  Next next{};
  while (next_occupied(next) && next.tick <= target) {
    elapsed_ = next.tick;
    Timer* timer = std::exchange(wheel_[next.level][next.slot].first, nullptr);
    occupied_[next.level] &= ~(std::uint64_t{1} << next.slot);
    while (timer != nullptr) {
      Timer* following = timer->next;
      insert(*timer);
      timer = following;
    }
  }
  elapsed_ = std::max(elapsed_, target);
}

std::size_t TimerWheel::advance(TimePoint now) noexcept {
  constexpr std::size_t batch_max = 256;  // so that nobody waits long for the lock
  std::size_t expired = 0;
  for (bool more = true; more;) {
    CancelWork work;
    Timer* first = nullptr;
    Timer** last = &first;
    {
      const SpinGuard guard(lock_);
      cascade(tick_of(now));
      for (std::size_t n = 0; n < batch_max; ++n) {
        more = !heap_.empty() && heap_.front()->deadline <= now;
        if (!more) break;
        Timer& timer = *heap_.front();
        heap_remove(0);
        --size_;
        ++expired;
        timer.kind->expire(timer, work);
        if (timer.kind->fire == nullptr) continue;
        timer.next = nullptr;
        *last = &timer;
        last = &timer.next;
      }
      hint_ = next_deadline_locked();
    }
    work.run();
    while (first != nullptr) {
      Timer* next = first->next;  // fire() may destroy it
      first->kind->fire(*first);
      first = next;
    }
  }
  return expired;
}

TimePoint TimerWheel::next_deadline_locked() const noexcept {
  if (!heap_.empty()) return heap_.front()->deadline;
  Next next{};
  if (!next_occupied(next)) return never;
  return TimePoint(Duration(static_cast<Duration::rep>(next.tick << tick_bits)));
}

TimePoint TimerWheel::next_deadline() noexcept {
  const SpinGuard guard(lock_);
  return next_deadline_locked();
}

std::size_t TimerWheel::size() noexcept {
  const SpinGuard guard(lock_);
  return size_;
}

void TimerWheel::heap_push(Timer& timer) {
  heap_.push_back(&timer);
  sift_up(heap_.size() - 1);
}

void TimerWheel::heap_remove(std::size_t index) noexcept {
  heap_[index]->slot = not_armed;
  Timer* moved = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  heap_[index] = moved;
  sift_down(index);
  sift_up(static_cast<std::size_t>(moved->slot));
}

void TimerWheel::sift_up(std::size_t index) noexcept {
  Timer* timer = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!before(*timer, *heap_[parent])) break;
    heap_[index] = heap_[parent];
    heap_[index]->slot = static_cast<std::int32_t>(index);
    index = parent;
  }
  heap_[index] = timer;
  timer->slot = static_cast<std::int32_t>(index);
}

void TimerWheel::sift_down(std::size_t index) noexcept {
  Timer* timer = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], *timer)) break;
    heap_[index] = heap_[child];
    heap_[index]->slot = static_cast<std::int32_t>(index);
    index = child;
  }
  heap_[index] = timer;
  timer->slot = static_cast<std::int32_t>(index);
}

}  // namespace coil::detail
