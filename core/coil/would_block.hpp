// WouldBlock: what the ..._nowait functions throw (trio.WouldBlock).
#pragma once

#include <stdexcept>

namespace coil {

// It could not be done without waiting.
class WouldBlock : public std::runtime_error {
 public:
  WouldBlock() : std::runtime_error("the operation would have to wait") {}
};

}  // namespace coil
