// A stack of cells with access by index, in blocks: it grows without moving what it holds.
//
// Invariant: one user at a time, but for size(). One block more than needed is kept, so that going
// to and fro at its edge costs nothing.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/item_cell.hpp>
#include <coil/detail/value_slot.hpp>
#include <cstddef>
#include <utility>
#include <vector>

namespace coil::detail {

template <class Cell>
class CellArray {
 public:
  CellArray() noexcept = default;
  CellArray(const CellArray&) = delete;
  CellArray& operator=(const CellArray&) = delete;
  ~CellArray() {
    while (size() != 0) pop();
    for (Block* block : blocks_) delete block;
  }

  // Any thread.
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  [[nodiscard]] Cell& operator[](std::size_t i) noexcept { return slot(i).get(); }

  // Room for one more. Throws std::bad_alloc.
  void reserve_one() {
    if (size() != blocks_.size() * block_size) return;
    blocks_.push_back(nullptr);
    try {
      blocks_.back() = new Block;
    } catch (...) {
      blocks_.pop_back();
      throw;
    }
  }
  // After reserve_one().
  void push(Cell&& cell) noexcept {
    slot(size()).build(std::move(cell));
    set_size(size() + 1);
  }
  void pop() noexcept {
    const std::size_t left = size() - 1;
    slot(left).destroy();
    set_size(left);
    if (blocks_.size() > left / block_size + 2) {
      delete blocks_.back();
      blocks_.pop_back();
    }
  }
  // In the place of the one at `to`, which goes.
  void replace(std::size_t to, Cell&& cell) noexcept {
    slot(to).destroy();
    slot(to).build(std::move(cell));
  }
  // To an empty one.
  void move_to(CellArray& other) noexcept {
    blocks_.swap(other.blocks_);
    other.set_size(size());
    set_size(0);
  }

 private:
  static constexpr std::size_t block_size = cells_per_block<Cell>;
  struct Block : FrameAllocated {
    ValueSlot<Cell> cells[block_size];
  };
  [[nodiscard]] ValueSlot<Cell>& slot(std::size_t i) noexcept {
    return blocks_[i / block_size]->cells[i % block_size];
  }
  void set_size(std::size_t size) noexcept { size_.store(size, std::memory_order_relaxed); }

  std::vector<Block*> blocks_;
  Atomic<std::size_t> size_{0};
};

}  // namespace coil::detail
