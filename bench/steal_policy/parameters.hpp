// What is compared (Policy), and what things cost on the simulated machines (Costs).
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "agenda.hpp"
#include "steal_policy.hpp"

namespace steal_policy {

enum class Victims : bool { Uniform, Rings };
enum class Share : unsigned char { HalfOrChild, One, Half };
enum class Searchers : unsigned char { One, Quarter, Half, All };

// What a field is by default is what the product does.
struct Policy {
  static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

  std::string name;
  Victims victims = Victims::Rings;
  unsigned near_rounds = 0;  // rounds within the node before the first one that goes farther
  std::size_t ring_victims = coil::detail::steal_policy::ring_victims;
  Share share = Share::HalfOrChild;
  Searchers searchers = Searchers::Half;
  std::size_t wakes_max = coil::detail::steal_policy::wakes_max;
  unsigned rounds_per_clock = 0;  // 0: as the product
};

// The policies of the report: the product's, and others that differ from it in what they are called
// after.
[[nodiscard]] std::vector<Policy> policies();

// Nanoseconds.
struct Costs {
  Time pop = 20;           // a task from one's own queue
  Time spawn = 40;         // to make a task, or take over one that arrived
  Time fork = 30;          // to make a child
  Time same_l3 = 100;      // to try a victim, in vain or not
  Time same_node = 200;    //
  Time far = 600;          //
  Time moved_task = 5;     // each task of a batch
  Time injector = 200;     // its lock
  Time look = 10;          // at one loop's queue, before sleeping
  Time pause = 40;         // between two rounds of a spinning loop
  Time barrier = 5'000;    // to see what a forking loop hides
  Time wake_call = 1'000;  // for the one who wakes
  Time wake = 25'000;      // until the other one runs
};

}  // namespace steal_policy
