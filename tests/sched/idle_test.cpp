// A Runner that has nothing to do does nothing.
#include <gtest/gtest.h>

#include <coil/run.hpp>
#include <coil/sleep.hpp>
#include <ctime>
#include <kit/needs_kernel.hpp>
#include <thread>

using namespace coil;
using namespace std::chrono_literals;

namespace {

std::uint64_t all_parks(const Metrics& metrics) {
  std::uint64_t n = 0;
  for (const auto& loop : metrics.loops) n += loop.parks;
  return n;
}

// Bounds so wide that only a loop that never sleeps, or is woken for nothing, breaks them.
TEST(idle, loops_sleep_until_there_is_something) {
  KIT_NEEDS_KERNEL("a clock");
  Runner runner({.loops = 4});
  runner.run([&]() -> Coro<> {
    co_await sleep(50ms);  // the spins that follow a start are over
    const auto parks = all_parks(runner.metrics());
    const std::clock_t cpu = std::clock();
    co_await sleep(300ms);
    EXPECT_LT(std::clock() - cpu, CLOCKS_PER_SEC / 10);
    EXPECT_LT(all_parks(runner.metrics()) - parks, 40U);
  });
}

TEST(idle, a_runner_between_two_runs_sleeps) {
  KIT_NEEDS_KERNEL("a clock");
  Runner runner({.loops = 3});
  runner.run([]() -> Coro<> { co_await sleep(1ms); });
  std::this_thread::sleep_for(20ms);
  const std::clock_t cpu = std::clock();
  std::this_thread::sleep_for(200ms);
  EXPECT_LT(std::clock() - cpu, CLOCKS_PER_SEC / 10);
}

}  // namespace
