// Where threads that are no loops may run.
#pragma once

#include <cstddef>
#include <vector>

namespace coil::detail {

// How many processors the process was allowed when it began (os.process_cpu_count).
[[nodiscard]] std::size_t processor_count();
// Lets the calling thread run on all of them: a thread that is made on a loop begins with that
// loop's binding to one.
void unbind_thread();
// This thread drives a loop that is bound to one of them.
[[nodiscard]] bool loop_is_bound() noexcept;

// A NUMA node with processors that the process was allowed when it began.
struct NodeProcessors {
  unsigned node = 0;                 // hwloc's logical number
  std::vector<unsigned> processors;  // the system's numbers
};
// In the order of their numbers; never empty.
[[nodiscard]] std::vector<NodeProcessors> node_processors();
// Lets the calling thread run on these only, if the kernel does not refuse.
void bind_thread_to(const std::vector<unsigned>& processors) noexcept;

// How many loops there are in the process just now, of all Runners.
[[nodiscard]] std::size_t loop_count() noexcept;

}  // namespace coil::detail
