// How much slower than a processor of its own a machine may be: an emulated one says
// COIL_TEST_TIME_SCALE=20. Only limits on "this hangs" are multiplied, never what is asserted.
#pragma once

#include <chrono>
#include <cstdlib>

namespace kit {

inline int time_scale() {
  const char* text = std::getenv("COIL_TEST_TIME_SCALE");
  const int scale = text != nullptr ? std::atoi(text) : 1;
  return scale > 1 ? scale : 1;
}

template <class Rep, class Period>
[[nodiscard]] std::chrono::duration<Rep, Period> scaled(std::chrono::duration<Rep, Period> limit) {
  return limit * time_scale();
}

}  // namespace kit
