// Where a task may run.
#pragma once

#include <cstdint>

namespace coil {

// any: may be stolen by any loop. loop: stays on the loop that made it and never runs in parallel
// with that loop's other pinned tasks (asyncio's single-threaded reasoning).
enum class Affinity : std::uint8_t { any, loop };

}  // namespace coil
