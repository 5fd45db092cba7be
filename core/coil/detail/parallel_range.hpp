// A range of positions that several loops go through together: cut in two only while some loop
// wants work and finds none here, else gone through in steps of a grain. So the number of frames
// goes with the number of steals, not with the length of the range.
#pragma once

#include <coil/detail/ranges.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_base.hpp>
#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <type_traits>

namespace coil::detail {

struct ParallelRange {
  std::uint64_t first;
  std::uint64_t last;
  std::uint64_t grain;

  [[nodiscard]] bool empty() const noexcept { return first == last; }
  [[nodiscard]] bool to_be_cut() const noexcept {
    return last - first > grain && forks_are_wanted();
  }
  // Cuts at a multiple of the grain and keeps what comes after. Of more than one step.
  [[nodiscard]] ParallelRange cut_first_half() noexcept {
    const std::uint64_t steps = (last - first - 1) / grain + 1;
    ParallelRange half = *this;
    half.last = first = first + steps / 2 * grain;
    return half;
  }
  [[nodiscard]] ParallelRange next_step() noexcept {
    ParallelRange step = *this;
    if (last - first > grain) step.last = first + grain;
    first = step.last;
    return step;
  }
};

// What computes for long without suspending learns here that it was cancelled.
[[nodiscard]] inline bool cancel_is_pending() noexcept {
  const TaskBase* task = running_task();
  return task != nullptr && task->cancel_pending();
}

// What the bounds of a loop may be: integers, or what points into an array.
template <class I>
concept Position =
    (std::integral<I> && sizeof(I) <= sizeof(std::uint64_t)) || std::random_access_iterator<I>;

template <Position I>
[[nodiscard]] ParallelRange parallel_range(I first, I last, std::int64_t grain) {
  if (grain <= 0) throw std::invalid_argument("a parallel loop needs a grain of 1 or more");
  if (!(first < last)) return {0, 0, 1};
  std::uint64_t length = 0;
  if constexpr (std::integral<I>) {
    length = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
  } else {
    length = static_cast<std::uint64_t>(last - first);
  }
  return {0, length, static_cast<std::uint64_t>(grain)};
}

// A bound in the type of both. Throws std::invalid_argument for a negative one beside an unsigned.
template <Position I, class Bound>
[[nodiscard]] I bound_as(Bound bound) {
  if constexpr (std::signed_integral<Bound> && std::unsigned_integral<I>) {
    if (bound < 0)
      throw std::invalid_argument(
          "a parallel loop has a negative bound beside one of an unsigned type");
  }
  return static_cast<I>(bound);
}

template <Position I>
[[nodiscard]] I position(I first, std::uint64_t offset) {
  if constexpr (std::integral<I>) {
    return static_cast<I>(static_cast<std::uint64_t>(first) + offset);
  } else {
    return first + static_cast<std::iter_difference_t<I>>(offset);
  }
}

}  // namespace coil::detail
