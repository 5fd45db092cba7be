// Whether a join has its next child back from the loop's fork deque.
#pragma once

#include <cstdint>

namespace coil::detail {

enum class ForkTaken : std::uint8_t {
  No,  // somebody else has it
  Yes,
  Perhaps,  // finish_take_fork() tells
};

}  // namespace coil::detail
