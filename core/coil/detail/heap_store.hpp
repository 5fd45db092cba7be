// What a PriorityQueue keeps its items in: a binary heap, the smallest on top.
//
// Invariant: comparisons, which may throw, are all made before anything moves, which does not: an
// item is in the heap or it is not, and the heap's order holds.
#pragma once

#include <coil/detail/cell_array.hpp>
#include <cstddef>
#include <optional>
#include <utility>

namespace coil::detail {

template <class T, class Compare>
class HeapStore {
 public:
  using Value = T;
  using Cell = ItemCell<T>;
  using Items = CellArray<Cell>;
  static constexpr bool two_ended = false;

  HeapStore(std::size_t capacity, Compare compare)
      : capacity_(capacity), compare_(std::move(compare)) {}

  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::size_t size() const noexcept { return cells_.size(); }
  [[nodiscard]] bool has_room() const noexcept { return size() < capacity_; }
  [[nodiscard]] bool has_item() const noexcept { return size() != 0; }

  template <class Fn>
  void push(Cell&& cell, Fn&& publishing) {
    std::size_t place = size();
    while (place != 0 && less(cell, cells_[parent(place)])) place = parent(place);
    cells_.reserve_one();
    publishing();
    std::size_t hole = size();
    if (hole == place) return cells_.push(std::move(cell));
    cells_.push(std::move(cells_[parent(hole)]));
    for (hole = parent(hole); hole != place; hole = parent(hole))
      cells_.replace(hole, std::move(cells_[parent(hole)]));
    cells_.replace(place, std::move(cell));
  }

  void pop(std::optional<Cell>& out) {
    const std::size_t last = size() - 1;
    // The way that the hole goes down until the last item fits in.
    std::size_t way[64];
    std::size_t steps = 0;
    for (std::size_t at = 0;;) {
      std::size_t child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && less(cells_[child + 1], cells_[child])) ++child;
      if (!less(cells_[child], cells_[last])) break;
      way[steps++] = at = child;
    }
    out.emplace(std::move(cells_[0]));
    std::size_t hole = 0;
    for (std::size_t i = 0; i < steps; hole = way[i++])
      cells_.replace(hole, std::move(cells_[way[i]]));
    if (hole != last) cells_.replace(hole, std::move(cells_[last]));
    cells_.pop();
  }

  void move_to(Items& other) noexcept { cells_.move_to(other); }

 private:
  [[nodiscard]] static std::size_t parent(std::size_t i) noexcept { return (i - 1) / 2; }
  [[nodiscard]] bool less(const Cell& a, const Cell& b) {
    return compare_(std::as_const(a.item()), std::as_const(b.item()));
  }

  const std::size_t capacity_;
  CellArray<Cell> cells_;
  [[no_unique_address]] Compare compare_;
};

}  // namespace coil::detail
