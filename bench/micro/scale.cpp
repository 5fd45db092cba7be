// What an operation costs with few and many tasks, and with more loops than processors. Baseline:
// the same with one task, or one loop.
#include <algorithm>
#include <coil/fork.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <vector>

#include "in_loop.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;

// All tasks yield in turn.
Coro<> yield_often(long times) {
  for (long i = 0; i < times; ++i) co_await coil::sleep(0ms);
}

void scale_yield(benchmark::State& state) {
  const long tasks = state.range(0);
  const long times = std::max(20L, 1'000'000 / tasks);
  bench::in_loop(state, 1, [&](auto& s) -> Coro<> {
    for (auto _ : s) {
      co_await coil::with_task_group([&](coil::TaskGroup& group) -> Coro<> {
        for (long i = 0; i < tasks; ++i) group.create_task(yield_often(times));
        co_return;
      });
    }
  });
  bench::per_operation(state, state.iterations() * tasks * times);
}
BENCHMARK(scale_yield)->ArgName("tasks")->Arg(1)->Arg(1'000)->Arg(1'000'000)->UseRealTime();

// A task is made, sleeps, and is cancelled, while others sleep.
void scale_sleepers(benchmark::State& state) {
  bench::in_loop(state, 1, [&](auto& s) -> Coro<> {
    std::vector<coil::Task<>> others;
    for (long i = 0; i < s.range(0); ++i) others.push_back(coil::create_task(coil::sleep(1h)));
    co_await coil::sleep(0ms);
    for (auto _ : s) {
      auto task = coil::create_task(coil::sleep(1h));
      co_await coil::sleep(0ms);
      task.cancel();
      co_await coil::sleep(0ms);
    }
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(scale_sleepers)->ArgName("tasks")->Arg(1)->Arg(1'000)->Arg(1'000'000)->UseRealTime();

// Loops: tasks of a few microseconds that one task makes, and forks.

Coro<long> compute(long x) {
  for (int i = 0; i < 1'000; ++i) benchmark::DoNotOptimize(x = x * 6364136223846793005 + 1);
  co_return x;
}

void scale_loops_tasks(benchmark::State& state) {
  constexpr int tasks = 10'000;
  bench::in_loop(state, static_cast<int>(state.range(0)), [](auto& s) -> Coro<> {
    for (auto _ : s) {
      co_await coil::with_task_group([](coil::TaskGroup& group) -> Coro<> {
        for (int i = 0; i < tasks; ++i) group.create_task(compute(i));
        co_return;
      });
    }
  });
  bench::per_operation(state, state.iterations() * tasks);
}
BENCHMARK(scale_loops_tasks)->ArgName("loops")->RangeMultiplier(2)->Range(1, 16)->UseRealTime();

Coro<long> fibonacci(int n) {
  if (n < 2) co_return n;
  auto [a, b] = co_await coil::fork(fibonacci(n - 1), fibonacci(n - 2));
  co_return a + b;
}

void scale_loops_forks(benchmark::State& state) {
  bench::in_loop(state, static_cast<int>(state.range(0)), [](auto& s) -> Coro<> {
    for (auto _ : s) benchmark::DoNotOptimize(co_await fibonacci(25));
  });
  bench::per_operation(state, state.iterations() * 242'785);  // calls
}
BENCHMARK(scale_loops_forks)->ArgName("loops")->RangeMultiplier(2)->Range(1, 16)->UseRealTime();

}  // namespace
