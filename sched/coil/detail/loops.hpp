// The loops of the running Runner, for what starts something on each of them (a server's accepts).
#pragma once

#include <vector>

namespace coil {
class Loop;
}

namespace coil::detail {

// In the order of their index. Throws NoRunningLoop naming the operation.
[[nodiscard]] std::vector<Loop*> running_loops(const char* operation);

}  // namespace coil::detail
