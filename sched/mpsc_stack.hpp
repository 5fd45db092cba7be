// What any thread may push and one loop takes all at once: the inbox.
//
// Invariant: take_all() gives the items in the order in which they were pushed, so first in first
// out per pushing thread. A push is seq_cst and comes before the pusher looks whether the loop
// sleeps; see idle_set.hpp. Once closed, a push is refused, so what was accepted has been taken.
#pragma once

#include <coil/detail/atomic.hpp>

namespace coil::detail {

template <class T>
class MpscStack {
 public:
  // Any thread. False: closed.
  [[nodiscard]] bool push(T& item) noexcept {
    T* head = head_.load(std::memory_order_relaxed);
    do {
      if (head == closed_mark()) return false;
      item.next = head;
    } while (!head_.compare_exchange_weak(head, &item, std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
    return true;
  }
  // The loop. A list through `next`, oldest first.
  [[nodiscard]] T* take_all() noexcept {
    if (head_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    // Acquire pairs with the release in push(): the items' contents.
    return reversed(head_.exchange(nullptr, std::memory_order_acquire));
  }
  // The loop. The last take_all(): from here on nothing is accepted.
  [[nodiscard]] T* close() noexcept {
    T* item = head_.exchange(closed_mark(), std::memory_order_acq_rel);
    return item == closed_mark() ? nullptr : reversed(item);
  }
  // Whether fn(item) holds for one. While nobody pushes or takes.
  template <class Fn>
  [[nodiscard]] bool any(Fn&& fn) const noexcept {
    if (empty()) return false;
    for (const T* item = head_.load(std::memory_order_acquire); item != nullptr; item = item->next)
      if (fn(*item)) return true;
    return false;
  }
  [[nodiscard]] bool empty() const noexcept {
    T* head = head_.load(std::memory_order_seq_cst);
    return head == nullptr || head == closed_mark();
  }

 private:
  // Not the address of any item.
  [[nodiscard]] static T* closed_mark() noexcept { return reinterpret_cast<T*>(alignof(T)); }
  [[nodiscard]] static T* reversed(T* item) noexcept {
    T* oldest_first = nullptr;
    while (item != nullptr) {
      T* next = item->next;
      item->next = oldest_first;
      oldest_first = item;
      item = next;
    }
    return oldest_first;
  }

  Atomic<T*> head_{nullptr};
};

}  // namespace coil::detail
