// How many loops, and which processor each one gets.
//
// Invariant: only processors of the affinity mask are named, and never more loops are suggested
// than the cgroup's CPU quota, rounded up, allows.
#pragma once

#include <string_view>
#include <vector>

#include "place.hpp"

namespace coil::detail {

struct Topology {
  std::vector<Processor> processors;  // allowed ones; one thread of every core first
  NodeDistances distances;            // between the nodes of the processors
  unsigned loops = 1;                 // what to start by default

  // This machine's, found once per process.
  static const Topology& machine();
  // Of a synthetic hwloc description, for tests: "numa:2 l3:1 core:4 pu:2". `allowed`: processors
  // of the affinity mask, all if empty. `latencies`: between the nodes, row by row, if any.
  static Topology synthetic(const char* description, const std::vector<unsigned>& allowed = {},
                            const std::vector<unsigned>& latencies = {});
};

// CPUs that the cgroups above this process allow, rounded up; 0: no limit. `root` stands for "/".
[[nodiscard]] unsigned cgroup_cpu_limit(std::string_view root = "");

// Binds the calling thread; false if the kernel refused.
bool bind_thread(unsigned os_index) noexcept;

}  // namespace coil::detail
