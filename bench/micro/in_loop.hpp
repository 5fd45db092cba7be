// Runs one benchmark's measured part inside a coroutine of a Runner.
#pragma once

#include <benchmark/benchmark.h>

#include <coil/run.hpp>

namespace bench {

// Calls body(state) as the main coroutine; `loops` as in RunOptions.
template <class Body>
void in_loop(benchmark::State& state, int loops, Body body) {
  coil::Runner runner({.loops = loops});
  runner.run([&]() -> coil::Coro<> { co_await body(state); });
}

// Time per operation, whatever the number of operations in one iteration.
inline void per_operation(benchmark::State& state, std::int64_t operations) {
  state.SetItemsProcessed(operations);
  state.counters["per_op"] = benchmark::Counter(
      static_cast<double>(operations), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

}  // namespace bench
