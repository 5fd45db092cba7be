// Functions handed to an executor and back. Baseline: a thread behind a mutex and a condition
// variable, called from a thread that is no loop.
#include <coil/arena_executor.hpp>
#include <coil/run_in_executor.hpp>
#include <coil/thread_pool_executor.hpp>
#include <coil/to_thread.hpp>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

#include "in_loop.hpp"

namespace {

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Processor time of the whole process, all threads, per call.
void report_cpu(benchmark::State& state, double begin, std::int64_t calls) {
  state.counters["cpu_us"] = 1e6 * (processor_seconds() - begin) / static_cast<double>(calls);
}

// One call after the other: there and back.
template <class E>
coil::Coro<> hot(benchmark::State& state, E* executor) {
  const double begin = processor_seconds();
  for (auto _ : state)
    benchmark::DoNotOptimize(co_await coil::run_in_executor(executor, [] { return 1; }));
  report_cpu(state, begin, state.iterations());
}
void run_in_executor_hot(benchmark::State& state) {
  coil::ThreadPoolExecutor pool{{.max_workers = 1}};
  bench::in_loop(state, 1, [&](benchmark::State& s) { return hot(s, &pool); });
}
BENCHMARK(run_in_executor_hot)->UseRealTime();
void run_in_arena_hot(benchmark::State& state) {
  coil::ArenaExecutor arena{{.concurrency = 1}};
  bench::in_loop(state, 1, [&](benchmark::State& s) { return hot(s, &arena); });
}
BENCHMARK(run_in_arena_hot)->UseRealTime();
void to_thread_hot(benchmark::State& state) {
  bench::in_loop(state, 1, [&](benchmark::State& s) -> coil::Coro<> {
    for (auto _ : s) benchmark::DoNotOptimize(co_await coil::to_thread([] { return 1; }));
  });
}
BENCHMARK(to_thread_hot)->UseRealTime();

// Batches of calls, awaited together.
constexpr int batch = 1000;
template <class E>
coil::Coro<> batches(benchmark::State& state, E* executor) {
  const double begin = processor_seconds();
  std::vector<coil::Future<int>> calls(batch);
  for (auto _ : state) {
    for (int i = 0; i < batch; ++i)
      calls[static_cast<std::size_t>(i)] = coil::run_in_executor(executor, [i] { return i; });
    int sum = 0;
    for (auto& call : calls) sum += co_await std::move(call);
    benchmark::DoNotOptimize(sum);
  }
  report_cpu(state, begin, state.iterations() * batch);
  bench::per_operation(state, state.iterations() * batch);
}
void run_in_executor_batch(benchmark::State& state) {
  coil::ThreadPoolExecutor pool{{.max_workers = static_cast<int>(state.range(0))}};
  bench::in_loop(state, 1, [&](benchmark::State& s) { return batches(s, &pool); });
}
BENCHMARK(run_in_executor_batch)->ArgName("threads")->Arg(1)->Arg(4)->UseRealTime();
void run_in_arena_batch(benchmark::State& state) {
  coil::ArenaExecutor arena{{.concurrency = 1}};
  bench::in_loop(state, 1, [&](benchmark::State& s) { return batches(s, &arena); });
}
BENCHMARK(run_in_arena_batch)->UseRealTime();

void run_in_thread_serial(benchmark::State& state) {
  std::mutex mutex;
  std::condition_variable changed;
  int asked = 0;
  int answered = 0;
  bool stop = false;
  std::thread server([&] {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return stop || asked != answered; });
      if (stop) return;
      answered = asked;
      changed.notify_all();
    }
  });
  for (auto _ : state) {
    std::unique_lock lock(mutex);
    ++asked;
    changed.notify_all();
    changed.wait(lock, [&] { return asked == answered; });
  }
  {
    const std::lock_guard lock(mutex);
    stop = true;
    changed.notify_all();
  }
  server.join();
}
BENCHMARK(run_in_thread_serial)->UseRealTime();

}  // namespace
