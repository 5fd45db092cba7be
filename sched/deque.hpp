// The Chase-Lev deque: the owner pushes and takes at the bottom, thieves steal at the top.
//
//   owner, take()                            thief, steal()
//   1. writes bottom = b - 1                 a. reads top
//   2. reads top                             b. reads bottom
//   3. last one left: compare-exchange top   c. compare-exchange top
//
// Only the last item is dangerous. 1 before 2 and a before b are seq_cst: in their one order
// either 1 precedes b, and the thief leaves empty-handed, or a precedes 2, and the
// compare-exchange picks one winner. Weaken one and an item is taken twice.
// The ring grows by doubling; old rings live until the deque does, for thieves that still read.
// Kept by tests/model/deque_model.cpp, "the last item is taken once".
#pragma once

#include <coil/detail/atomic.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace coil::detail {

template <class T>
class Deque {
 public:
  explicit Deque(std::size_t capacity = 256) { ring_.store(add_ring(capacity)); }

  // Owner.
  void push(T* item) {
    const auto bottom = bottom_.load(std::memory_order_relaxed);
    const auto top = top_.load(std::memory_order_acquire);
    Ring* ring = ring_.load(std::memory_order_relaxed);
    if (bottom - top >= static_cast<std::int64_t>(ring->size)) ring = grow(*ring, top, bottom);
    ring->slot(bottom).store(item, std::memory_order_relaxed);
    // Release: a thief that sees the new bottom sees the item. seq_cst because of parking.
    bottom_.store(bottom + 1, std::memory_order_seq_cst);
  }

  // Takes the newest, or nullptr. Owner.
  [[nodiscard]] T* take() noexcept {
    const auto bottom = bottom_.load(std::memory_order_relaxed) - 1;
    Ring* ring = ring_.load(std::memory_order_relaxed);
    bottom_.store(bottom, std::memory_order_seq_cst);
    auto top = top_.load(std::memory_order_seq_cst);
    if (top > bottom) {
      bottom_.store(bottom + 1, std::memory_order_relaxed);
      return nullptr;
    }
    T* item = ring->slot(bottom).load(std::memory_order_relaxed);
    if (top < bottom) return item;
    const bool won = top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                                  std::memory_order_relaxed);
    bottom_.store(bottom + 1, std::memory_order_relaxed);
    return won ? item : nullptr;
  }

  // Takes the oldest, or nullptr: empty, or somebody else was faster. Any thread.
  [[nodiscard]] T* steal() noexcept {
    auto top = top_.load(std::memory_order_seq_cst);
    const auto bottom = bottom_.load(std::memory_order_seq_cst);
    if (top >= bottom) return nullptr;
    T* item = ring_.load(std::memory_order_acquire)->slot(top).load(std::memory_order_relaxed);
    return top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                        std::memory_order_relaxed)
               ? item
               : nullptr;
  }

  [[nodiscard]] bool empty() const noexcept {
    return top_.load(std::memory_order_seq_cst) >= bottom_.load(std::memory_order_seq_cst);
  }

 private:
  struct Ring {
    explicit Ring(std::size_t n) : size(n), slots(std::make_unique<Atomic<T*>[]>(n)) {}
    [[nodiscard]] Atomic<T*>& slot(std::int64_t i) noexcept {
      return slots[static_cast<std::size_t>(i) & (size - 1)];
    }
    std::size_t size;
    std::unique_ptr<Atomic<T*>[]> slots;
  };

  Ring* add_ring(std::size_t size) {
    rings_.push_back(std::make_unique<Ring>(size));
    return rings_.back().get();
  }
  Ring* grow(Ring& old, std::int64_t top, std::int64_t bottom) {
    Ring* ring = add_ring(old.size * 2);
    for (auto i = top; i < bottom; ++i)
      ring->slot(i).store(old.slot(i).load(std::memory_order_relaxed), std::memory_order_relaxed);
    ring_.store(ring, std::memory_order_release);  // pairs with the acquire in steal()
    return ring;
  }

  alignas(64) Atomic<std::int64_t> top_{0};
  alignas(64) Atomic<std::int64_t> bottom_{0};
  Atomic<Ring*> ring_{nullptr};
  std::vector<std::unique_ptr<Ring>> rings_;  // owner only
};

}  // namespace coil::detail
