// Which arenas an ArenaExecutor has: on which nodes, with how many threads each.
//
// Plain values, no syscall and no thread: tests show other machines with it.
#pragma once

#include <coil/arena_executor.hpp>
#include <coil/detail/processors.hpp>
#include <cstddef>
#include <vector>

namespace coil::detail {

struct ArenaPlace {
  NodeProcessors on;
  int threads = 1;
};

// In the order of the nodes; a node that no thread is left for has none. `loops`: how many there
// are in the process. Throws as ArenaExecutor's constructor does.
[[nodiscard]] std::vector<ArenaPlace> place_arenas(const std::vector<NodeProcessors>& nodes,
                                                   const ArenaOptions& options, std::size_t loops);

}  // namespace coil::detail
