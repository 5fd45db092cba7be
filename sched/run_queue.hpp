// A loop's tasks that others may steal: a bounded ring, first in first out.
//
//   owner                                    thief
//   push: writes the slot, then tail         1. reads head, then tail
//   pop:  reads head and the slot, then      2. copies the oldest half of the slots
//         moves head by compare-exchange     3. moves head by compare-exchange; failed: the copy
//                                               is worthless, try again
//
// A slot between head and tail is not written: the owner writes slot i only once head > i - size.
// So a thief whose compare-exchange succeeds has copied what was there. head and tail are 64-bit
// and never wrap. The store of tail is seq_cst because of parking: see idle_set.hpp.
// Kept by tests/model/run_queue_model.cpp, "every task is taken once".
#pragma once

#include <algorithm>
#include <array>
#include <coil/detail/atomic.hpp>
#include <cstddef>
#include <cstdint>

#include "steal_policy.hpp"

namespace coil::detail {

template <class T, std::size_t capacity>
class RunQueue {
  static_assert((capacity & (capacity - 1)) == 0);

 public:
  // Owner. False: full.
  [[nodiscard]] bool push(T* item) noexcept {
    const auto tail = tail_.load(std::memory_order_relaxed);
    // Acquire: the thief that moved head has finished reading the slot we are about to write.
    if (tail - head_.load(std::memory_order_acquire) >= capacity) return false;
    slot(tail).store(item, std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_seq_cst);
    return true;
  }

  // Owner. The oldest, or nullptr.
  [[nodiscard]] T* pop() noexcept {
    auto head = head_.load(std::memory_order_relaxed);
    const auto tail = tail_.load(std::memory_order_relaxed);
    while (head != tail) {
      T* item = slot(head).load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel,
                                      std::memory_order_relaxed))
        return item;
    }
    return nullptr;
  }

  // Any thread. Takes the oldest half, at most `limit`, into out; gives how many.
  [[nodiscard]] std::size_t steal(T** out, std::size_t limit) noexcept {
    auto head = head_.load(std::memory_order_acquire);
    for (;;) {
      // Acquire pairs with push(): the slots up to tail are written.
      const auto tail = tail_.load(std::memory_order_acquire);
      if (tail <= head) return 0;
      const auto available = static_cast<std::size_t>(tail - head);
      const std::size_t n = std::min(steal_policy::queue_share(available), limit);
      for (std::size_t i = 0; i < n; ++i) out[i] = slot(head + i).load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + n, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return n;
    }
  }

  // Any thread; seq_cst for the parking protocol.
  [[nodiscard]] bool empty() const noexcept {
    return head_.load(std::memory_order_seq_cst) >= tail_.load(std::memory_order_seq_cst);
  }
  // Owner; may count what is being stolen right now.
  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(tail_.load(std::memory_order_relaxed) -
                                    head_.load(std::memory_order_relaxed));
  }

 private:
  [[nodiscard]] Atomic<T*>& slot(std::uint64_t i) noexcept { return slots_[i & (capacity - 1)]; }

  alignas(64) Atomic<std::uint64_t> head_{0};
  alignas(64) Atomic<std::uint64_t> tail_{0};
  std::array<Atomic<T*>, capacity> slots_{};
};

}  // namespace coil::detail
