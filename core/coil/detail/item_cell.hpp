// How a queue keeps an item of type T: in place if that can be moved without throwing and is small,
// else in a box of its own.
//
// Invariant: a cell is moved without throwing and without allocating, so it may be moved under a
// spin lock, and nothing is lost half-way. What may throw (T's own moves and copies) runs before a
// cell is queued or after it has been taken out, under no lock.
#pragma once

#include <coil/detail/frame_allocator.hpp>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace coil::detail {

template <class T>
class BoxedItem {
  struct Room : FrameAllocated {
    explicit Room(T&& from) : item(std::move(from)) {}
    T item;
  };
  // What the frame allocator cannot align goes to the heap.
  struct WideRoom {
    explicit WideRoom(T&& from) : item(std::move(from)) {}
    T item;
  };
  using Place = std::conditional_t<(alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__), WideRoom, Room>;

 public:
  explicit BoxedItem(T&& item) : place_(new Place(std::move(item))) {}
  BoxedItem(BoxedItem&& other) noexcept : place_(std::exchange(other.place_, nullptr)) {}
  BoxedItem& operator=(BoxedItem&&) = delete;
  ~BoxedItem() { delete place_; }

  [[nodiscard]] T& item() const noexcept { return place_->item; }

 private:
  Place* place_;
};

template <class T>
class InlineItem {
 public:
  explicit InlineItem(T&& item) noexcept : item_(std::move(item)) {}
  InlineItem(InlineItem&&) noexcept = default;
  InlineItem& operator=(InlineItem&&) = delete;
  ~InlineItem() = default;

  [[nodiscard]] T& item() noexcept { return item_; }
  [[nodiscard]] const T& item() const noexcept { return item_; }

 private:
  T item_;
};

template <class T>
inline constexpr bool kept_inline = std::is_nothrow_move_constructible_v<T> && sizeof(T) <= 64 &&
                                    alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__;

template <class T>
using ItemCell = std::conditional_t<kept_inline<T>, InlineItem<T>, BoxedItem<T>>;

// How many cells make a block: what fits a kilobyte, and not so many that few items cost much.
template <class Cell>
inline constexpr std::size_t cells_per_block = sizeof(Cell) <= 16 ? 64 : 16;

}  // namespace coil::detail
