// What a LifoQueue keeps its items in: the last one in is the first one out.
#pragma once

#include <coil/detail/cell_array.hpp>
#include <cstddef>
#include <optional>
#include <utility>

namespace coil::detail {

template <class T>
class StackStore {
 public:
  using Value = T;
  using Cell = ItemCell<T>;
  using Items = CellArray<Cell>;
  static constexpr bool two_ended = false;

  explicit StackStore(std::size_t capacity) noexcept : capacity_(capacity) {}

  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::size_t size() const noexcept { return cells_.size(); }
  [[nodiscard]] bool has_room() const noexcept { return size() < capacity_; }
  [[nodiscard]] bool has_item() const noexcept { return size() != 0; }
  template <class Fn>
  void push(Cell&& cell, Fn&& publishing) {
    cells_.reserve_one();
    cells_.push(std::move(cell));
    publishing();
  }
  void pop(std::optional<Cell>& out) noexcept {
    out.emplace(std::move(cells_[size() - 1]));
    cells_.pop();
  }
  void move_to(Items& other) noexcept { cells_.move_to(other); }

 private:
  const std::size_t capacity_;
  CellArray<Cell> cells_;
};

}  // namespace coil::detail
