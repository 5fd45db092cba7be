// 64 loops' worth of tasks (256 on each of 4 loops, on purpose more than a pool has threads) await
// run_in_executor at once.
// The number of calls: 200,000, or COIL_STRESS=N, or an argument; the issue's own is 1,000,000.
//
// What must hold: no completion is lost, every result is its call's own, a call that was cancelled
// runs once or never, and memory is flat: what was there after the first fifth is enough for all.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/coil.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <kit/loops.hpp>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using coil::Coro;

constexpr int loops = 4;
constexpr int tasks = 64 * 16;

long calls_asked_for() {
  if (const char* text = std::getenv("COIL_STRESS")) return std::atol(text);
  const long argument = std::atol(testing::internal::GetArgvs().back().c_str());
  return argument > 0 ? argument : 200'000;
}

double resident_mib() {
  std::ifstream status("/proc/self/statm");
  long all = 0;
  long resident = 0;
  status >> all >> resident;
  return static_cast<double>(resident) * 4096 / (1 << 20);
}

std::uint64_t mixed(std::uint64_t n) {
  n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
  return n ^ (n >> 31);
}

struct Counts {
  std::atomic<long> left;
  std::atomic<long> begun = 0;
  std::atomic<long> right = 0;
  std::atomic<long> cancelled = 0;
};

// Awaits call after call; one in sixteen is cancelled at once.
Coro<> caller(coil::Executor& executor, Counts& counts) {
  for (;;) {
    const long number = counts.left.fetch_sub(1);
    if (number <= 0) co_return;
    const auto n = static_cast<std::uint64_t>(number);
    auto future = coil::run_in_executor(
        &executor,
        [&counts](std::uint64_t value) {
          ++counts.begun;
          return mixed(value);
        },
        n);
    if (number % 16 == 0) future.cancel();
    try {
      if (co_await future == mixed(n)) ++counts.right;
    } catch (const coil::CancelledError&) {
      ++counts.cancelled;
    }
  }
}

void storm(coil::Runner& runner, coil::Executor& executor, long calls) {
  Counts counts{.left = calls};
  runner.run([&]() -> Coro<> {
    std::vector<coil::Task<>> all;
    all.reserve(tasks);
    for (int i = 0; i < tasks; ++i) all.push_back(coil::create_task(caller(executor, counts)));
    for (auto& task : all) co_await task;
  });
  EXPECT_EQ(counts.right + counts.cancelled, calls);
  EXPECT_LE(counts.right, counts.begun);
  EXPECT_LE(counts.cancelled, calls / 16);
}

void storm_and_weigh(const char* name, coil::Executor& executor) {
  const long calls = calls_asked_for();
  const kit::Watchdog watchdog(60s + std::chrono::seconds(calls / 10'000));
  coil::Runner runner({.loops = loops});
  storm(runner, executor, calls / 5);
  const double after_a_fifth = resident_mib();
  const auto begin = coil::Clock::now();
  for (int fifth = 1; fifth < 5; ++fifth) storm(runner, executor, calls / 5);
  const std::chrono::duration<double> took = coil::Clock::now() - begin;
  const double in_the_end = resident_mib();
  std::printf("%-8s %ld calls, %.2f us each; %.1f MiB after a fifth, %.1f MiB in the end\n", name,
              calls, took.count() * 1e6 / (static_cast<double>(calls) * 4 / 5), after_a_fifth,
              in_the_end);
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && \
    !__has_feature(thread_sanitizer)
  EXPECT_LT(in_the_end, after_a_fifth + 8) << "memory is not flat";
#endif
  runner.run([&]() -> Coro<> { co_await executor.shutdown(); });
}

TEST(executor_stress, loses_no_completion_of_threads) {
  coil::ThreadPoolExecutor pool{{.max_workers = 4}};
  storm_and_weigh("threads", pool);
}

TEST(executor_stress, loses_no_completion_of_threads_with_a_short_queue) {
  coil::ThreadPoolExecutor pool{{.max_workers = 3, .max_queue = 10}};
  storm_and_weigh("bounded", pool);
}

TEST(executor_stress, loses_no_completion_of_arenas) {
  coil::ArenaExecutor arena{{.concurrency = 4}};
  storm_and_weigh("arenas", arena);
}

}  // namespace
