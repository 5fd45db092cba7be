// The coroutines that an exception has left on its way out, as each task keeps them.
//
// Invariant: what it holds belongs to one exception object, and each frame was awaited by the next.
// A CancelledError leaves no trace: cancelling is no failure, and has to be quick.
#pragma once

#include <source_location>
#include <vector>

namespace coil::detail {

struct ExceptionTrace {
  const void* exception = nullptr;  // the object, which may be gone: only compared
  const void* type = nullptr;
  const void* next_frame = nullptr;          // whose turn it is to be left; null: anybody's
  std::vector<std::source_location> frames;  // innermost first
};

}  // namespace coil::detail
