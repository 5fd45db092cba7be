// Functions in other processes: one call at a time, a hundred at once, 100 MB there and a sum back,
// and a new worker for one that was killed.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <coil/process_pool_executor.hpp>
#include <coil/run_in_executor.hpp>
#include <cstring>
#include <span>
#include <vector>

#include "in_loop.hpp"

namespace {

int identity(int i) { return i; }
pid_t own_pid() { return ::getpid(); }
// Sixteen sums, so that memory is what it waits for.
double sum(std::span<const double> values) {
  double sums[16] = {};
  std::size_t i = 0;
  for (; i + 16 <= values.size(); i += 16)
    for (std::size_t lane = 0; lane < 16; ++lane) sums[lane] += values[i + lane];
  double total = 0;
  for (const double part : sums) total += part;
  for (; i < values.size(); ++i) total += values[i];
  return total;
}

// Awaited one after the other.
void process_call(benchmark::State& state) {
  bench::in_loop(state, 1, [](benchmark::State& s) -> coil::Coro<> {
    coil::ProcessPoolExecutor pool{{.max_workers = 1}};
    (void)co_await coil::run_in_executor<&identity>(&pool, 0);
    for (auto _ : s) benchmark::DoNotOptimize(co_await coil::run_in_executor<&identity>(&pool, 1));
    co_await pool.shutdown();
  });
}
BENCHMARK(process_call)->UseRealTime()->Unit(benchmark::kMicrosecond);

void process_calls_100_at_once(benchmark::State& state) {
  bench::in_loop(state, 1, [](benchmark::State& s) -> coil::Coro<> {
    coil::ProcessPoolExecutor pool;
    std::vector<coil::Future<int>> calls;
    for (auto _ : s) {
      calls.clear();
      for (int i = 0; i < 100; ++i) calls.push_back(coil::run_in_executor<&identity>(&pool, i));
      for (auto& call : calls) benchmark::DoNotOptimize(co_await call);
    }
    co_await pool.shutdown();
    bench::per_operation(s, s.iterations() * 100);
  });
}
BENCHMARK(process_calls_100_at_once)->UseRealTime()->Unit(benchmark::kMicrosecond);

constexpr std::size_t elements_100_mb = 100'000'000 / sizeof(double);

void process_sum_of_100_mb(benchmark::State& state) {
  coil::ProcessPoolExecutor pool{{.max_workers = 1}};
  const std::vector<double> values(elements_100_mb, 1.0);
  // The first time the pages of the shared memory are made.
  (void)pool.submit<&sum>(std::span<const double>(values)).get();
  for (auto _ : state)
    benchmark::DoNotOptimize(pool.submit<&sum>(std::span<const double>(values)).get());
}
BENCHMARK(process_sum_of_100_mb)->UseRealTime()->Unit(benchmark::kMillisecond);

void process_sum_of_100_mb_serial(benchmark::State& state) {
  const std::vector<double> values(elements_100_mb, 1.0);
  for (auto _ : state) benchmark::DoNotOptimize(sum(values));
}
BENCHMARK(process_sum_of_100_mb_serial)->UseRealTime()->Unit(benchmark::kMillisecond);

// The measure: one copy, into memory that is there already.
void memcpy_of_100_mb(benchmark::State& state) {
  const std::vector<double> values(elements_100_mb, 1.0);
  std::vector<double> copy(elements_100_mb);
  for (auto _ : state) {
    benchmark::DoNotOptimize(copy.data());
    std::memcpy(copy.data(), values.data(), elements_100_mb * sizeof(double));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(memcpy_of_100_mb)->UseRealTime()->Unit(benchmark::kMillisecond);

// From the kill to the first result of the new worker.
void process_replaced(benchmark::State& state) {
  coil::ProcessPoolExecutor pool{{.max_workers = 1}};
  pid_t worker = pool.submit<&own_pid>().get();
  for (auto _ : state) {
    ::kill(worker, SIGKILL);
    for (pid_t next = worker; next == worker;) {
      const auto call = pool.submit<&own_pid>();
      (void)call.wait_for(std::nullopt);
      if (!call.exception()) next = call.result();
      if (next == worker) continue;
      worker = next;
      break;
    }
  }
}
BENCHMARK(process_replaced)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
