// StackFrame: one coroutine of a task's await stack, as a person reads it.
#pragma once

#include <string>

namespace coil {

// `line` is where the coroutine awaits (or last awaited) something; before its first co_await,
// where it is written. Lines between two awaits are not known.
struct StackFrame {
  std::string function;  // "server::handle", without result type and parameters
  std::string file;
  unsigned line = 0;

  [[nodiscard]] friend bool operator==(const StackFrame&, const StackFrame&) = default;
};

}  // namespace coil
