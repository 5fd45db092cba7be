// WouldBlock (trio.WouldBlock): what a ..._nowait operation throws that would have to wait.
#pragma once

#include <stdexcept>

namespace coil {

class WouldBlock : public std::runtime_error {
 public:
  WouldBlock() : std::runtime_error("the operation would have to wait") {}
};

}  // namespace coil
