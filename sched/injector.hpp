// Runnable tasks of no loop in particular: from foreign threads, and what a full run queue sheds.
//
// Invariant: size() is at least 1 whenever an item is in it that a parking loop must see; it is
// stored (seq_cst) under the lock, before the pusher looks at the idle set.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstddef>

#include "local_queue.hpp"

namespace coil::detail {

class Injector {
 public:
  void push(Runnable& item) noexcept {
    const SpinGuard guard(lock_);
    queue_.push(item);
    size_.store(queue_.size(), std::memory_order_seq_cst);
  }
  template <class T>
  void push_all(T* const* items, std::size_t n) noexcept {
    const SpinGuard guard(lock_);
    for (std::size_t i = 0; i < n; ++i) queue_.push(*items[i]);
    size_.store(queue_.size(), std::memory_order_seq_cst);
  }
  // Up to `limit` items into out, oldest first.
  [[nodiscard]] std::size_t pop(Runnable** out, std::size_t limit) noexcept {
    if (empty()) return 0;
    const SpinGuard guard(lock_);
    std::size_t n = 0;
    while (n < limit) {
      Runnable* item = queue_.pop();
      if (item == nullptr) break;
      out[n++] = item;
    }
    size_.store(queue_.size(), std::memory_order_seq_cst);
    return n;
  }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_seq_cst); }

 private:
  SpinLock lock_;
  LocalQueue queue_;
  Atomic<std::size_t> size_{0};
};

}  // namespace coil::detail
