// Making tasks: awaited, not awaited, yielding, gathered. Baseline: the same work as plain calls.
#include <atomic>
#include <coil/gather.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <vector>

#include "in_loop.hpp"

namespace {

coil::Coro<int> trivial(int x) { co_return x + 1; }
coil::Coro<> nothing() { co_return; }
coil::Coro<> count_down(std::atomic<int>& left) {
  left.fetch_sub(1, std::memory_order_release);
  co_return;
}

void create_and_await(benchmark::State& state) {
  bench::in_loop(state, static_cast<int>(state.range(0)), [](auto& s) -> coil::Coro<> {
    int sum = 0;
    for (auto _ : s) sum = co_await coil::create_task(trivial(sum));
    benchmark::DoNotOptimize(sum);
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(create_and_await)->Arg(1)->Arg(2)->UseRealTime();

// Batches of 1,000, run to the end before the next: one loop, where one yield lets all run.
void spawn(benchmark::State& state) {
  constexpr int batch = 1000;
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    for (auto _ : s) {
      for (int i = 0; i < batch; ++i) coil::create_task(nothing());
      co_await coil::sleep(std::chrono::nanoseconds(0));
    }
  });
  bench::per_operation(state, state.iterations() * batch);
}
BENCHMARK(spawn)->UseRealTime();

// The same with stealing; each task counts down, because they end on any loop.
void spawn_stealing(benchmark::State& state) {
  constexpr int batch = 1000;
  bench::in_loop(state, static_cast<int>(state.range(0)), [](auto& s) -> coil::Coro<> {
    std::atomic<int> left{0};
    for (auto _ : s) {
      left.store(batch, std::memory_order_relaxed);
      for (int i = 0; i < batch; ++i) coil::create_task(count_down(left));
      while (left.load(std::memory_order_acquire) != 0)
        co_await coil::sleep(std::chrono::nanoseconds(0));
    }
  });
  bench::per_operation(state, state.iterations() * batch);
}
BENCHMARK(spawn_stealing)->Arg(1)->Arg(2)->UseRealTime();

void spawn_serial(benchmark::State& state) {
  std::vector<int> queue;
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) queue.push_back(i);
    for (int& item : queue) benchmark::DoNotOptimize(++item);
    queue.clear();
  }
  bench::per_operation(state, state.iterations() * 1000);
}
BENCHMARK(spawn_serial);

void yield(benchmark::State& state) {
  bench::in_loop(state, static_cast<int>(state.range(0)), [](auto& s) -> coil::Coro<> {
    for (auto _ : s) co_await coil::sleep(std::chrono::nanoseconds(0));
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(yield)->Arg(1)->Arg(2)->UseRealTime();

void gather_1000(benchmark::State& state) {
  constexpr int children = 1000;
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    for (auto _ : s) {
      std::vector<coil::Coro<int>> coros;
      coros.reserve(children);
      for (int i = 0; i < children; ++i) coros.push_back(trivial(i));
      const auto results = co_await coil::gather(std::move(coros));
      benchmark::DoNotOptimize(results.back());
    }
  });
  bench::per_operation(state, state.iterations() * children);
}
BENCHMARK(gather_1000);

void gather_serial(benchmark::State& state) {
  for (auto _ : state) {
    std::vector<int> results;
    results.reserve(1000);
    for (int i = 0; i < 1000; ++i) results.push_back(i + 1);
    benchmark::DoNotOptimize(results.data());
  }
  bench::per_operation(state, state.iterations() * 1000);
}
BENCHMARK(gather_serial);

void task_group_100(benchmark::State& state) {
  constexpr int children = 100;
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    for (auto _ : s) {
      co_await coil::with_task_group([](coil::TaskGroup& group) -> coil::Coro<> {
        for (int i = 0; i < children; ++i) group.create_task(nothing());
        co_return;
      });
    }
  });
  bench::per_operation(state, state.iterations() * children);
}
BENCHMARK(task_group_100);

// Until all are unwound.
void cancel_10000_sleepers(benchmark::State& state) {
  constexpr int sleepers = 10'000;
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    for (auto _ : s) {
      s.PauseTiming();
      std::vector<coil::Task<>> tasks;
      for (int i = 0; i < sleepers; ++i)
        tasks.push_back(coil::create_task(coil::sleep(std::chrono::hours(1))));
      co_await coil::sleep(std::chrono::nanoseconds(0));
      s.ResumeTiming();
      for (auto& task : tasks) task.cancel();
      for (auto& task : tasks) {
        try {
          co_await task;
        } catch (const coil::CancelledError&) {
        }
      }
    }
  });
  bench::per_operation(state, state.iterations() * sleepers);
}
BENCHMARK(cancel_10000_sleepers)->Unit(benchmark::kMillisecond);

// The floor of the above: the same number of exceptions, thrown and caught.
void cancel_serial(benchmark::State& state) {
  for (auto _ : state) {
    for (int i = 0; i < 10'000; ++i) {
      try {
        throw coil::CancelledError();
      } catch (const coil::CancelledError& error) {
        benchmark::DoNotOptimize(error.what());
      }
    }
  }
  bench::per_operation(state, state.iterations() * 10'000);
}
BENCHMARK(cancel_serial)->Unit(benchmark::kMillisecond);

}  // namespace
