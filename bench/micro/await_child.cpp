// co_await of a trivial child in place. Baseline: a call that the compiler may not inline.
#include <coil/coro.hpp>

#include "in_loop.hpp"

namespace {

[[gnu::noinline]] int plain_child(int x) {
  benchmark::DoNotOptimize(x);
  return x + 1;
}

void await_child_serial(benchmark::State& state) {
  int sum = 0;
  for (auto _ : state) sum += plain_child(sum);
  benchmark::DoNotOptimize(sum);
  bench::per_operation(state, state.iterations());
}
BENCHMARK(await_child_serial);

[[gnu::noinline]] coil::Coro<int> child(int x) { co_return x + 1; }

void await_child(benchmark::State& state) {
  bench::in_loop(state, 1, [](benchmark::State& s) -> coil::Coro<> {
    int sum = 0;
    for (auto _ : s) sum += co_await child(sum);
    benchmark::DoNotOptimize(sum);
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(await_child);

}  // namespace
