// What stealing is decided by: how much a thief takes, how many victims it asks, how many
// loops search, how many are woken.
//
// Invariant: no thread, clock or syscall in here and in steal_order.hpp. bench/steal_policy runs
// the same functions for machines of 64 and 256 cores, and they were chosen by its figures.
#pragma once

#include <algorithm>
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

// What a forking loop hides from thieves is taken once nothing else was found for so long.
constexpr std::int64_t fork_patience_ns = 20'000;

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

}  // namespace coil::detail::steal_policy
