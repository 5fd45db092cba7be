// What the simulated machines are given to do.
//
// Invariant: a task is made either by an arrival or by one parent, so it must run exactly once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agenda.hpp"
#include "parameters.hpp"

namespace steal_policy {

constexpr std::uint32_t nobody = ~std::uint32_t{0};

struct Task {
  Time cost = 0;
  std::uint32_t parent = nobody;  // of a forked child
  std::uint32_t first = 0;        // its children, in a row
  std::uint32_t children = 0;
  bool forks = false;  // two children that it joins; else it spawns them after its cost
};

struct Arrival {
  Time at;  // after the start, or after everything before it was done
  unsigned loop;
  std::uint32_t task;
  bool when_quiet = false;
};

struct Load {
  std::string name = "";
  std::vector<Task> tasks = {};
  std::vector<Arrival> arrivals = {};
  Time lower_bound = 0;  // of the time in which there is something to do

  [[nodiscard]] Time work() const;
};

// `scale` divides the number of tasks: for a quick look.
[[nodiscard]] std::vector<Load> loads(const Costs& costs, unsigned cores, std::uint64_t seed,
                                      unsigned scale);

}  // namespace steal_policy
