// The part of a future that several threads fight over: completed once, waiters woken once.
//
//   a completer (any thread)            a waiter (any thread)         a canceller of the waiter
//   1. claim(): one wins                a. add(): lock; not done:     i.  remove(): lock; not done:
//   2. writes the value, alone             link, else false               unlink, true; else false
//   3. complete(): lock; phase; take    b. done() (acquire) reads         (the wake-up is coming)
//      the list; unlock; wake each         what 2 wrote
//
// The first that is woken may let the future go, so complete() does not touch it any more, and done
// callbacks, which want it, get their reference under the lock, before anybody hears of the end.
//
// A node is woken exactly once if add() was true and remove() was not; its memory belongs to the
// waiter again once woken or removed. The phase is stored under the lock (release) before the
// list is taken, so a node that add() links is seen by complete().
// Kept by tests/model/completion_model.cpp, "a waiter is woken once or removed".
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstdint>

namespace coil::detail {

// One who waits for a future. `wake` may destroy the node.
struct FutureWaiter {
  using Wake = void (*)(FutureWaiter&) noexcept;
  Wake wake = nullptr;
  FutureWaiter* previous = nullptr;
  FutureWaiter* next = nullptr;
};

// Gives the done callbacks in the list what they need of the future (callback.cpp).
void hold_for_callbacks(FutureWaiter* first) noexcept;

class Completion {
 public:
  enum class Phase : std::uint8_t { Pending, Value, Exception, Cancelled };

  [[nodiscard]] Phase phase() const noexcept { return phase_.load(std::memory_order_acquire); }
  [[nodiscard]] bool done() const noexcept { return phase() != Phase::Pending; }

  // True: the caller alone may write the result, and must complete() or unclaim().
  [[nodiscard]] bool claim() noexcept {
    const SpinGuard guard(lock_);
    if (claimed_) return false;
    claimed_ = true;
    return true;
  }
  // The result could not be written (its copy threw).
  void unclaim() noexcept {
    const SpinGuard guard(lock_);
    claimed_ = false;
  }

  // Publishes the result and wakes the waiters, first come first served.
  void complete(Phase phase) noexcept {
    FutureWaiter* waiter = nullptr;
    {
      const SpinGuard guard(lock_);
      claimed_ = true;
      waiter = head_;
      if (callbacks_) [[unlikely]]
        hold_for_callbacks(waiter);
      phase_.store(phase, std::memory_order_release);
      head_ = tail_ = nullptr;
    }
    while (waiter != nullptr) {
      FutureWaiter* next = waiter->next;  // before wake(): the node may be gone after it
      waiter->wake(*waiter);
      waiter = next;
    }
  }

  // The same when the caller holds the only reference to the future: nobody can begin to wait.
  // Waiters that hold no reference (done callbacks) may be there already.
  void complete_alone(Phase phase) noexcept {
    if (head_ != nullptr) [[unlikely]]
      return complete(phase);
    phase_.store(phase, std::memory_order_release);
  }

  // False: already done, the waiter was not added.
  [[nodiscard]] bool add(FutureWaiter& waiter, bool callback = false) noexcept {
    const SpinGuard guard(lock_);
    if (done()) return false;
    callbacks_ |= callback;
    waiter.next = nullptr;
    waiter.previous = tail_;
    (tail_ != nullptr ? tail_->next : head_) = &waiter;
    tail_ = &waiter;
    return true;
  }

  // The first one, while the caller holds the only reference.
  void add_alone(FutureWaiter& waiter) noexcept { head_ = tail_ = &waiter; }

  // While the caller holds the only reference: somebody may still hear of the end.
  [[nodiscard]] bool has_callbacks() const noexcept { return callbacks_; }

  // False: done, and the wake-up has come or is coming.
  [[nodiscard]] bool remove(FutureWaiter& waiter) noexcept {
    const SpinGuard guard(lock_);
    if (done()) return false;
    (waiter.previous != nullptr ? waiter.previous->next : head_) = waiter.next;
    (waiter.next != nullptr ? waiter.next->previous : tail_) = waiter.previous;
    return true;
  }

  // Calls fn(waiter) for each under the lock: until it returns none of them can be woken or
  // removed.
  template <class Fn>
  void for_each(Fn&& fn) {
    const SpinGuard guard(lock_);
    for (FutureWaiter* waiter = head_; waiter != nullptr; waiter = waiter->next) fn(*waiter);
  }

  // Calls fn(waiter) under the lock until it gives true, and removes and returns that waiter.
  template <class Fn>
  [[nodiscard]] FutureWaiter* remove_if(Fn&& fn) noexcept {
    const SpinGuard guard(lock_);
    for (FutureWaiter* waiter = head_; waiter != nullptr; waiter = waiter->next) {
      if (!fn(*waiter)) continue;
      (waiter->previous != nullptr ? waiter->previous->next : head_) = waiter->next;
      (waiter->next != nullptr ? waiter->next->previous : tail_) = waiter->previous;
      return waiter;
    }
    return nullptr;
  }

 private:
  SpinLock lock_;
  bool claimed_ = false;
  bool callbacks_ = false;  // there may be some among the waiters
  Atomic<Phase> phase_{Phase::Pending};
  FutureWaiter* head_ = nullptr;
  FutureWaiter* tail_ = nullptr;
};

}  // namespace coil::detail
