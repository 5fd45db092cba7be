// Broken invariants end the program with a sentence, in release builds too.
#pragma once

namespace coil::detail {

// Prints "coil: broken invariant: <what> (<file>:<line>)" and aborts.
[[noreturn]] void fail_invariant(const char* what, const char* file, int line) noexcept;

}  // namespace coil::detail

#define COIL_CHECK(condition, what)                                  \
  do {                                                               \
    if (!(condition)) [[unlikely]]                                   \
      ::coil::detail::fail_invariant(what, __FILE_NAME__, __LINE__); \
  } while (false)
