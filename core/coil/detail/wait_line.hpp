// Tasks that wait in line, first come first served: what locks, events and queues are built on.
//
// Invariant: `linked` and the links are guarded by the line's lock. Whoever unlinks a waiter, and
// nobody else, wakes its task, once, after it has left the lock: a popper, who has given it what
// it waited for, or its cancel hook, which then has set `aborted`. So what was given is never lost:
// a cancel that finds the waiter unlinked is not taken, and comes at the next suspension.
#pragma once

#include <coil/detail/promise_base.hpp>
#include <coil/detail/spin_lock.hpp>
#include <coil/detail/suspension.hpp>
#include <coil/detail/task_base.hpp>

namespace coil::detail {

class WaitLine;

// A place in the line; the awaiter of a suspended task. Its memory is the task's again once woken.
struct Waiter : NativeAwaiter, Suspension {
  Waiter(const LeafKind& kind, WaitLine& l) noexcept : Suspension(kind), line(&l) {}

  WaitLine* line;
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
  bool linked = false;
};

class WaitLine {
 public:
  [[nodiscard]] SpinLock& lock() noexcept { return lock_; }

  // All of these under the lock.
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] Waiter* first() const noexcept { return first_; }
  void push(Waiter& waiter) noexcept {
    waiter.linked = true;
    waiter.previous = last_;
    waiter.next = nullptr;
    (last_ != nullptr ? last_->next : first_) = &waiter;
    last_ = &waiter;
  }
  // The longest waiting one, or nullptr. The caller wakes it after unlocking.
  [[nodiscard]] Waiter* pop() noexcept {
    Waiter* waiter = first_;
    if (waiter != nullptr) remove(*waiter);
    return waiter;
  }
  void remove(Waiter& waiter) noexcept {
    (waiter.previous != nullptr ? waiter.previous->next : first_) = waiter.next;
    (waiter.next != nullptr ? waiter.next->previous : last_) = waiter.previous;
    waiter.linked = false;
  }
  // Everybody, as a list through `next`. The caller wakes each, reading `next` first.
  [[nodiscard]] Waiter* pop_all() noexcept {
    Waiter* all = first_;
    for (Waiter* waiter = all; waiter != nullptr; waiter = waiter->next) waiter->linked = false;
    first_ = last_ = nullptr;
    return all;
  }

  // Not under the lock: for LeafKind::cancel of waiters that leave nothing behind.
  static HookResult leave(Suspension& leaf, Abort kind) noexcept;

 private:
  SpinLock lock_;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

}  // namespace coil::detail
