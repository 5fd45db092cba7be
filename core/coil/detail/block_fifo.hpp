// Items first in, first out, in blocks that are linked: one side appends while the other takes.
//
//   the put side (one at a time)            the get side (one at a time)
//   1. reads head (acquire): is there      a. reads tail (acquire): is there an item?
//      room? only if head_seen says no        only if tail_seen says no
//   2. builds the cell, links a block       b. takes the cell, frees the block that it left
//   3. stores tail (release)               c. stores head (release)
//
// 3 pairs with a: the cell and the link to its block are there. c pairs with 1: a bound that is
// kept counts only what has been taken out. Each side's index is read by the other only when its
// own last look is used up, so that a line travels between processors once for many items.
// Invariant: the get side frees a block only once an item lies in a later one, so the put side
// has left it.
// Kept by tests/model/transfer_queue_model.cpp, "the two ends of a queue need no common lock".
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/item_cell.hpp>
#include <coil/detail/patience.hpp>
#include <coil/detail/value_slot.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace coil::detail {

template <class T>
class BlockFifo {
 public:
  using Value = T;
  using Cell = ItemCell<T>;
  using Items = BlockFifo;
  static constexpr bool two_ended = true;

  // A size of `capacity` or more is full.
  explicit BlockFifo(std::size_t capacity = 0) noexcept : put_(capacity), get_(capacity) {}
  BlockFifo(const BlockFifo&) = delete;
  BlockFifo& operator=(const BlockFifo&) = delete;
  ~BlockFifo() {
    std::optional<Cell> item;
    while (has_item()) {
      pop(item);
      item.reset();
    }
    const Block* left = get_.block != nullptr ? get_.block : put_.first;
    delete left;
  }

  [[nodiscard]] std::size_t capacity() const noexcept { return put_.capacity; }

  // The put side.
  [[nodiscard]] bool has_room() noexcept {
    const std::uint64_t tail = put_.tail.load(std::memory_order_relaxed);
    return tail - put_.head_seen < put_.capacity || room_now(tail) != 0;
  }
  // The same, and may wait some hundred nanoseconds for room. Not under the get side's lock.
  [[nodiscard]] bool has_room_soon() noexcept {
    const std::uint64_t tail = put_.tail.load(std::memory_order_relaxed);
    if (tail - put_.head_seen < put_.capacity) [[likely]]
      return true;
    return room_soon(tail);
  }
  // Calls publishing() just before the get side may see the cell. Throws std::bad_alloc, and then
  // nothing has changed.
  template <class Fn>
  void push(Cell&& cell, Fn&& publishing) {
    const std::uint64_t tail = put_.tail.load(std::memory_order_relaxed);
    if (tail % block_size == 0) [[unlikely]]
      add_block();
    put_.block->cells[tail % block_size].build(std::move(cell));
    publishing();
    put_.tail.store(tail + 1, std::memory_order_release);
  }

  // The get side.
  [[nodiscard]] bool has_item() noexcept {
    const std::uint64_t head = get_.head.load(std::memory_order_relaxed);
    return head != get_.tail_seen || items_now(head) != 0;
  }
  // The same, and may wait some hundred nanoseconds for one. Not under the put side's lock.
  [[nodiscard]] bool has_item_soon() noexcept {
    const std::uint64_t head = get_.head.load(std::memory_order_relaxed);
    if (head != get_.tail_seen) [[likely]]
      return true;
    return items_soon(head);
  }
  // Only after has_item().
  void pop(std::optional<Cell>& out) noexcept {
    const std::uint64_t head = get_.head.load(std::memory_order_relaxed);
    if (head % block_size == 0) [[unlikely]]
      next_block();
    auto& slot = get_.block->cells[head % block_size];
    out.emplace(slot.take());
    slot.destroy();
    get_.head.store(head + 1, std::memory_order_release);
  }

  // Any thread: how many there were at some moment of the call.
  [[nodiscard]] std::size_t size() const noexcept {
    for (;;) {
      const std::uint64_t head = get_.head.load(std::memory_order_acquire);
      const std::uint64_t tail = put_.tail.load(std::memory_order_acquire);
      // A tail before the head: everything was just moved out, and both began again.
      if (tail >= head && get_.head.load(std::memory_order_acquire) == head)
        return static_cast<std::size_t>(tail - head);
    }
  }

  // Both sides at once: gives everything to an empty one that nobody else sees yet.
  void move_to(BlockFifo& other) noexcept {
    other.put_.block = put_.block;
    other.put_.first = put_.first;
    other.get_.block = get_.block;
    put_.block = nullptr;
    put_.first = nullptr;
    get_.block = nullptr;
    const std::uint64_t tail = put_.tail.load(std::memory_order_relaxed);
    const std::uint64_t head = get_.head.load(std::memory_order_relaxed);
    other.put_.tail.store(tail, std::memory_order_relaxed);
    other.get_.head.store(head, std::memory_order_relaxed);
    put_.tail.store(0, std::memory_order_relaxed);
    get_.head.store(0, std::memory_order_release);  // after the tail, for size()
    put_.head_seen = 0;
    get_.tail_seen = 0;
    other.get_.tail_seen = head;
  }

 private:
  static constexpr std::size_t block_size = cells_per_block<Cell>;
  struct Block : FrameAllocated {
    Plain<Block*> next = nullptr;
    ValueSlot<Cell> cells[block_size];
  };

  // The looks at the other side.
  std::uint64_t room_now(std::uint64_t tail) noexcept {
    put_.head_seen = get_.head.load(std::memory_order_acquire);
    const std::uint64_t size = tail - put_.head_seen;
    return size < put_.capacity ? put_.capacity - size : 0;
  }
  std::uint64_t items_now(std::uint64_t head) noexcept {
    get_.tail_seen = put_.tail.load(std::memory_order_acquire);
    return get_.tail_seen - head;
  }
  [[gnu::noinline]] bool room_soon(std::uint64_t tail) noexcept {
    return put_.patience.look([&] { return room_now(tail); }) != 0;
  }
  [[gnu::noinline]] bool items_soon(std::uint64_t head) noexcept {
    return get_.patience.look([&] { return items_now(head); }) != 0;
  }

  void add_block() {
    auto* block = new Block;
    (put_.block != nullptr ? put_.block->next : put_.first) = block;
    put_.block = block;
  }
  void next_block() noexcept {
    Block* left = get_.block;
    get_.block = left != nullptr ? left->next : put_.first;
    delete left;
  }

  struct PutSide {
    explicit PutSide(std::size_t c) noexcept : capacity(c), patience(c) {}
    const std::size_t capacity;
    Atomic<std::uint64_t> tail{0};  // how many were put
    Plain<std::uint64_t> head_seen = 0;
    Patience patience;
    Plain<Block*> block = nullptr;  // the last one
    Plain<Block*> first = nullptr;  // the very first, for the get side to begin with
  };
  struct GetSide {
    explicit GetSide(std::size_t capacity) noexcept : patience(capacity) {}
    Atomic<std::uint64_t> head{0};  // how many were taken
    Plain<std::uint64_t> tail_seen = 0;
    Patience patience;
    Plain<Block*> block = nullptr;  // the one that was last taken from
  };
  PutSide put_;
  std::byte apart_[64];  // not alignas: a queue may be a local of a coroutine
  GetSide get_;
};

}  // namespace coil::detail
