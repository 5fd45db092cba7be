// Runs the body of a test, a coroutine, under coil::run.
//
// Invariant: a test that hangs ends the program after a minute and says which one it was.
#pragma once

#include <gtest/gtest.h>

#include <coil/coro.hpp>
#include <coil/run.hpp>
#include <coil/sleep.hpp>
#include <cstdlib>
#include <kit/watchdog.hpp>
#include <string_view>

// First line of a test that uses threads of its own: the simulation knows nothing of them, and
// would report a deadlock while it waits for one.
#define KIT_USES_THREADS() \
  if (kit::simulated()) GTEST_SKIP() << "uses threads of its own"

namespace kit {

inline bool simulated() {
  const char* backend = std::getenv("COIL_BACKEND");
  return backend != nullptr && std::string_view(backend) == "sim";
}

// For what depends on the order on one loop, which asyncio promises.
template <class Body>
void on_one_loop(Body body, coil::RunOptions options = {}) {
  const Watchdog watchdog;
  options.loops = 1;
  coil::run(body(), options);
}

// For all else: alone, and with the tasks spread over 2 and 4 loops.
template <class Body>
void on_loops(Body body, coil::RunOptions options = {}) {
  for (const int loops : {1, 2, 4}) {
    SCOPED_TRACE(loops);
    const Watchdog watchdog;
    options.loops = loops;
    coil::run(body(), options);
  }
}

// Lets everything that is ready on this loop run, `times` times round.
inline coil::Coro<> yield(int times = 1) {
  for (int i = 0; i < times; ++i) co_await coil::sleep(std::chrono::milliseconds(0));
}

// Yields until `condition()` holds: for what another loop or thread does.
template <class Condition>
coil::Coro<> until(Condition condition) {
  while (!condition()) co_await coil::sleep(std::chrono::microseconds(50));
}

}  // namespace kit
