// What stealing is decided by: how much a thief takes, how many loops search, who is woken.
//
// Invariant: no thread, clock or syscall in here and in steal_order.hpp. bench/steal_policy runs
// the same functions for machines of 64 and 256 cores, and they were chosen by its figures.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace coil::detail::steal_policy {

// Of a victim's run queue: the older half. Of its forks: one child, the oldest, which is the
// biggest.
[[nodiscard]] constexpr std::size_t queue_share(std::size_t available) noexcept {
  return available - available / 2;
}

// Of the injector: what would be left for each loop, but no more than one can run soon.
constexpr std::size_t injector_batch = 32;
[[nodiscard]] constexpr std::size_t injector_share(std::size_t size, std::size_t loops) noexcept {
  return std::min(injector_batch, size / loops + 1);
}

// A round asks so many loops at each distance, from a random one on. On large machines a round of
// all takes longer than most tasks, and what arrives at the searching loop itself waits for its
// end.
constexpr std::size_t ring_victims = 8;

// So many rounds pass between two looks at the clock, about 32 victims.
[[nodiscard]] constexpr unsigned rounds_per_clock(unsigned loops) noexcept {
  return std::clamp(32 / loops, 1U, 16U);
}

// So many loops search at once: half of them.
[[nodiscard]] constexpr unsigned searchers_max(unsigned loops) noexcept { return (loops + 1) / 2; }

// How many others a searcher wakes that found work: one if it was the last that searched, and more
// if it saw `left` tasks besides its own. Waking takes 25 us; one by one, 256 loops take 6 ms.
constexpr std::size_t wakes_max = 2;
[[nodiscard]] constexpr std::size_t wakes(bool last, std::size_t left,
                                          std::size_t most = wakes_max) noexcept {
  return std::max<std::size_t>(last ? 1 : 0, std::min(left, most));
}

// Which of the loops in `idle` (not 0) to wake for loop `near`, both within one word of 64: the one
// whose number shares most of its leading bits. Neighbours are numbered in a row, so it is near.
[[nodiscard]] constexpr unsigned nearest(std::uint64_t idle, unsigned near) noexcept {
  unsigned first = 0;
  for (unsigned half = 32; half != 0; half /= 2) {
    const std::uint64_t mine = ((std::uint64_t{1} << half) - 1) << (first + (near & half));
    first += (idle & mine) != 0 ? near & half : ~near & half;
  }
  return first;
}
static_assert(nearest(0b1, 63) == 0 && nearest(0b1001'0001, 5) == 4 && nearest(0b1001, 2) == 3);
static_assert(nearest(~std::uint64_t{0}, 37) == 37 && nearest(0b1010, 0) == 1);

}  // namespace coil::detail::steal_policy
