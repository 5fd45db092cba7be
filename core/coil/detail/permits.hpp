// Permits that are handed out first come, first served: what Lock and Semaphore are made of.
//
// One word: twice the number of free permits, plus Waiting. Waiting is written under the line's
// lock, together with the line's becoming empty or not, and never while a permit is free.
//
//   acquire                          release                        a cancel hook
//   1. something free: takes it      a. nobody waits: adds it       i.  lock; unlinked: too late,
//      by compare-exchange              by compare-exchange             its permit is on the way
//   2. else lock; looks again        b. else lock; pops the first;  ii. unlinks; the last one:
//   3. nothing free: sets Waiting       the last one: clears            clears Waiting; unlock
//      by compare-exchange, pushes,     Waiting; unlock
//      unlock                        c. wakes it: it has the permit
//
// 3 and `a` change one word, each from a state in which the other has not happened: a permit that
// comes back meets its waiter or is found by it. While Waiting is set nobody but the holder of the
// lock changes the word, so clearing it is a plain store, and a newcomer finds nothing to take.
// `a` and `c` are the last touch: whoever gets the permit may destroy the object.
// Kept by tests/model/permits_model.cpp.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/wait_line.hpp>
#include <cstdint>

namespace coil::detail {

class Permits {
 public:
  static constexpr std::uint64_t unlimited = UINT64_MAX;

  constexpr explicit Permits(std::uint64_t free) noexcept : word_(free * one) {}

  [[nodiscard]] std::uint64_t free() const noexcept {
    return word_.load(std::memory_order_relaxed) / one;
  }

  // Takes a permit if there is one.
  [[nodiscard]] bool try_take() noexcept {
    auto word = word_.load(std::memory_order_relaxed);
    while (word >= one) {
      // Acquire pairs with the release in give(): what the last holder did is seen.
      if (word_.compare_exchange_weak(word, word - one, std::memory_order_acquire,
                                      std::memory_order_relaxed)) [[likely]]
        return true;
    }
    return false;
  }

  // True: the waiter is in line. False: it has got a permit after all.
  [[nodiscard]] bool line_up(Waiter& waiter) noexcept {
    const SpinGuard guard(line_.lock());
    for (;;) {
      if (try_take()) return false;
      std::uint64_t word = 0;
      // Relaxed: it publishes nothing; who sees Waiting takes the lock.
      if (word_.compare_exchange_strong(word, waiting, std::memory_order_relaxed,
                                        std::memory_order_relaxed) ||
          word == waiting)
        break;
    }
    line_.push(waiter);
    return true;
  }

  // Takes a permit back unless `limit` are free already (false). `next`: who has got it, if
  // anybody waited; the caller wakes it.
  [[nodiscard]] bool give(std::uint64_t limit, Waiter*& next) noexcept {
    auto word = word_.load(std::memory_order_relaxed);
    for (;;) {
      if (word / one >= limit) [[unlikely]]
        return false;
      if (word == waiting) [[unlikely]] {
        next = pop();
        if (next != nullptr) return true;
        // A cancel has emptied the line. Not added here: it would be taken, and the object
        // destroyed, before we have unlocked.
        word = word_.load(std::memory_order_relaxed);
      } else if (word_.compare_exchange_weak(word, word + one, std::memory_order_release,
                                             std::memory_order_relaxed)) [[likely]] {
        return true;
      }
    }
  }

  // For cancel hooks. False: it has a permit.
  [[nodiscard]] bool leave(Waiter& waiter) noexcept {
    const SpinGuard guard(line_.lock());
    if (!waiter.linked && !COIL_MUTATION("permits.leave_anyway")) return false;
    line_.remove(waiter);
    clear_if_last();
    return true;
  }

  // give(), and wakes.
  [[nodiscard]] bool release(std::uint64_t limit) noexcept {
    Waiter* next = nullptr;
    if (!give(limit, next)) [[unlikely]]
      return false;
    if (next != nullptr) [[unlikely]]
      next->task->wake();
    return true;
  }

  // For destructors, when nobody else may look any more.
  [[nodiscard]] bool awaited() const noexcept { return !line_.empty(); }
  [[nodiscard]] WaitLine& line() noexcept { return line_; }

 private:
  static constexpr std::uint64_t waiting = 1;
  static constexpr std::uint64_t one = 2;

  [[nodiscard]] Waiter* pop() noexcept {
    const SpinGuard guard(line_.lock());
    Waiter* first = line_.pop();
    if (first != nullptr) clear_if_last();
    return first;
  }
  void clear_if_last() noexcept {
    if (line_.empty() || COIL_MUTATION("permits.clear_always"))
      word_.store(0, std::memory_order_relaxed);
  }

  Atomic<std::uint64_t> word_;
  WaitLine line_;
};

// For conditions, whose `lock` the caller holds: puts the waiter into another line and then
// releases the lock, so that whoever takes that next finds the waiter. Gives who has got the lock,
// if anybody waited for it; the caller wakes it. The waiter may be woken at once.
[[nodiscard]] inline Waiter* line_up_and_release(WaitLine& line, Waiter& waiter,
                                                 Permits& lock) noexcept {
  Waiter* next = nullptr;
  if (COIL_MUTATION("permits.release_first")) (void)lock.give(1, next);
  {
    const SpinGuard guard(line.lock());
    line.push(waiter);
  }
  // Refused: somebody has released what was not his. It waits all the same.
  if (!COIL_MUTATION("permits.release_first")) (void)lock.give(1, next);
  return next;
}

extern const LeafKind lock_leaf;
extern const LeafKind semaphore_leaf;
extern const LeafKind relock_leaf;  // cannot be cancelled

// Waits for a permit. Suspends only if there is none.
class PermitWait : public Waiter {
 public:
  PermitWait(Permits& permits, const LeafKind& kind) noexcept
      : Waiter(kind, permits.line()), permits_(permits) {}

  [[nodiscard]] bool await_ready() noexcept { return permits_.try_take(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this, [this] { return permits_.line_up(*this); });
  }
  void await_resume() {
    if (aborted != Abort::None) [[unlikely]]
      task->throw_cancelled(aborted);
  }

  static HookResult leave(Suspension& leaf, Abort kind) noexcept;

 private:
  Permits& permits_;
};

}  // namespace coil::detail
