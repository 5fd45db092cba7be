// Timers beside 10^6 live ones: arm, cancel, arm and cancel at once, arm and fire; and timeout
// around something that completes at once. Baseline: a std::multimap of deadlines. Deadlines are
// computed outside the measured part: reading the clock costs 20 ns here, and every contender pays
// it alike (call_later adds it to call_at).
#include <chrono>
#include <coil/sleep.hpp>
#include <coil/timeout.hpp>
#include <map>
#include <random>
#include <vector>

#include "in_loop.hpp"

namespace {

using std::chrono::milliseconds;
constexpr int live_timers = 1'000'000;

std::vector<coil::TimePoint> far_deadlines(std::size_t n) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int64_t> ms(3'600'000, 7'200'000);
  const auto now = coil::Clock::now();
  std::vector<coil::TimePoint> deadlines(n);
  for (auto& deadline : deadlines) deadline = now + milliseconds(ms(random));
  return deadlines;
}

// One iteration: a million armed, in their own order of deadlines, then all cancelled.
void timer_million(benchmark::State& state, bool time_arm) {
  bench::in_loop(state, 1, [time_arm](auto& s) -> coil::Coro<> {
    coil::Loop& loop = coil::get_running_loop();
    const auto deadlines = far_deadlines(live_timers);
    std::vector<coil::Handle> handles(live_timers);
    for (auto _ : s) {
      if (!time_arm) s.PauseTiming();
      for (int i = 0; i < live_timers; ++i) handles[i] = loop.call_at(deadlines[i], [] {});
      if (time_arm) {
        s.PauseTiming();
      } else {
        s.ResumeTiming();
      }
      for (auto& handle : handles) handle.cancel();
      if (!time_arm) s.PauseTiming();
      for (auto& handle : handles) handle = {};
      s.ResumeTiming();
    }
    co_return;
  });
  bench::per_operation(state, state.iterations() * live_timers);
}
void timer_arm(benchmark::State& state) { timer_million(state, true); }
void timer_cancel(benchmark::State& state) { timer_million(state, false); }
BENCHMARK(timer_arm)->Unit(benchmark::kMillisecond);
BENCHMARK(timer_cancel)->Unit(benchmark::kMillisecond);

void timer_arm_cancel(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    coil::Loop& loop = coil::get_running_loop();
    std::vector<coil::Handle> live;
    for (const auto deadline : far_deadlines(static_cast<std::size_t>(s.range(0))))
      live.push_back(loop.call_at(deadline, [] {}));
    const auto deadline = loop.time() + std::chrono::hours(1);
    for (auto _ : s) loop.call_at(deadline, [] {}).cancel();
    for (auto& handle : live) handle.cancel();
    co_return;
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(timer_arm_cancel)->Arg(0)->Arg(live_timers);

void timer_arm_fire(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    for (auto _ : s) co_await coil::sleep(std::chrono::nanoseconds(1));
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(timer_arm_fire);

void timer_arm_cancel_serial(benchmark::State& state) {
  std::multimap<coil::TimePoint, int> timers;
  for (const auto deadline : far_deadlines(static_cast<std::size_t>(state.range(0))))
    timers.emplace(deadline, 0);
  const auto deadline = coil::Clock::now() + std::chrono::hours(1);
  for (auto _ : state) timers.erase(timers.emplace(deadline, 0));
  bench::per_operation(state, state.iterations());
}
BENCHMARK(timer_arm_cancel_serial)->Arg(0)->Arg(live_timers);

coil::Coro<int> ready() { co_return 1; }

void timeout_ready(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    for (auto _ : s) {
      const int x = co_await coil::timeout(std::chrono::seconds(30), [] { return ready(); });
      benchmark::DoNotOptimize(x);
    }
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(timeout_ready);

}  // namespace
