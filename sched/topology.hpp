// How many loops, and which processor each one gets.
//
// Invariant: only processors of the affinity mask are named, and never more loops are suggested
// than the cgroup's CPU quota, rounded up, allows.
#pragma once

#include <string_view>
#include <vector>

namespace coil::detail {

struct Processor {
  unsigned os_index = 0;  // as in sched_setaffinity
  unsigned core = 0;      // logical numbers that are equal where something is shared
  unsigned l3 = 0;
  unsigned node = 0;
};

struct Topology {
  std::vector<Processor> processors;  // allowed ones; one thread of every core first
  unsigned loops = 1;                 // what to start by default

  // This machine's, found once per process.
  static const Topology& machine();
  // Of a synthetic hwloc description, for tests: "node:2 l3:1 core:4 pu:2".
  static Topology synthetic(const char* description);
};

// Distance between two processors' loops: 0 same L3, 1 same NUMA node, 2 far.
[[nodiscard]] int distance(const Processor& a, const Processor& b) noexcept;

// CPUs that the cgroups above this process allow, rounded up; 0: no limit. `root` stands for "/".
[[nodiscard]] unsigned cgroup_cpu_limit(std::string_view root = "");

// Binds the calling thread; false if the kernel refused.
bool bind_thread(unsigned os_index) noexcept;

}  // namespace coil::detail
