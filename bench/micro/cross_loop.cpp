// Between loops and threads: post and wake. Baseline: a mutex and a condition variable.
#include <algorithm>
#include <atomic>
#include <coil/future.hpp>
#include <coil/sleep.hpp>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "in_loop.hpp"

namespace {

// A foreign thread posts as fast as it can, in rounds of `batch`; time per callback run.
void post_foreign(benchmark::State& state) {
  constexpr int batch = 10'000;
  coil::Runner runner({.loops = 1});
  coil::Promise<> stop;
  std::thread driver([&] { runner.run([&]() -> coil::Coro<> { co_await stop.get_future(); }); });
  std::atomic<int> ran{0};
  coil::Loop& loop = runner.get_loop();
  for (auto _ : state) {
    ran.store(0, std::memory_order_relaxed);
    for (int i = 0; i < batch; ++i)
      loop.call_soon_threadsafe(
          [&] { ran.store(ran.load(std::memory_order_relaxed) + 1, std::memory_order_release); });
    while (ran.load(std::memory_order_acquire) != batch) std::this_thread::yield();
  }
  stop.set_result();
  driver.join();
  bench::per_operation(state, state.iterations() * batch);
}
BENCHMARK(post_foreign)->UseRealTime();

void post_foreign_serial(benchmark::State& state) {
  constexpr int batch = 10'000;
  std::mutex mutex;
  std::condition_variable condition;
  std::deque<int> queue;
  std::atomic<int> ran{0};
  bool stop = false;
  std::thread consumer([&] {
    std::unique_lock lock(mutex);
    for (;;) {
      condition.wait(lock, [&] { return stop || !queue.empty(); });
      if (stop) return;
      std::deque<int> taken;
      taken.swap(queue);
      lock.unlock();
      ran.fetch_add(static_cast<int>(taken.size()));
      lock.lock();
    }
  });
  for (auto _ : state) {
    ran.store(0);
    for (int i = 0; i < batch; ++i) {
      const std::lock_guard lock(mutex);
      queue.push_back(i);
      condition.notify_one();
    }
    while (ran.load() != batch) std::this_thread::yield();
  }
  {
    const std::lock_guard lock(mutex);
    stop = true;
    condition.notify_one();
  }
  consumer.join();
  bench::per_operation(state, state.iterations() * batch);
}
BENCHMARK(post_foreign_serial)->UseRealTime();

// Times of single events, for those of which the median counts.
class Samples {
 public:
  void add(coil::Duration d) { all_.push_back(d); }
  void report(benchmark::State& state) {
    if (all_.empty()) return;
    std::sort(all_.begin(), all_.end());
    const auto at = [&](std::size_t percent) {
      return std::chrono::duration<double, std::micro>(all_[(all_.size() - 1) * percent / 100])
          .count();
    };
    state.counters["p50_us"] = at(50);
    state.counters["p99_us"] = at(99);
  }

 private:
  std::vector<coil::Duration> all_;
};

constexpr auto until_asleep = std::chrono::microseconds(500);

// A foreign thread posts to a sleeping loop: time until the callback runs there.
void wake_from_thread(benchmark::State& state) {
  coil::Runner runner({.loops = 1});
  coil::Promise<> stop;
  std::thread driver([&] { runner.run([&]() -> coil::Coro<> { co_await stop.get_future(); }); });
  coil::Loop& loop = runner.get_loop();
  Samples samples;
  for (auto _ : state) {
    std::this_thread::sleep_for(until_asleep);
    std::atomic<bool> answered{false};
    coil::TimePoint woken;
    const auto begin = coil::Clock::now();
    loop.call_soon_threadsafe([&] {
      woken = coil::Clock::now();
      answered.store(true, std::memory_order_release);
    });
    while (!answered.load(std::memory_order_acquire)) {
    }
    samples.add(woken - begin);
  }
  stop.set_result();
  driver.join();
  samples.report(state);
}
BENCHMARK(wake_from_thread)->UseRealTime()->Iterations(2000);

coil::Coro<> answer_there(coil::Loop& far) {
  auto answer = coil::create_future<>();
  far.call_soon([answer] { answer.set_result(); });
  co_await answer;
}

coil::Coro<> ping_pong_driver(benchmark::State& state, Samples& samples, coil::Loop& far) {
  const bool asleep = state.range(0) != 0;
  for (auto _ : state) {
    if (asleep) co_await coil::sleep(until_asleep);
    const auto begin = coil::Clock::now();
    co_await answer_there(far);
    if (asleep) samples.add(coil::Clock::now() - begin);
  }
}

// There and back between two loops, both awake or both asleep at the start.
void ping_pong(benchmark::State& state) {
  coil::Runner runner({.loops = 2});
  Samples samples;
  runner.run([&]() -> coil::Coro<> {
    co_await runner.loops()[0]->create_task(ping_pong_driver, std::ref(state), std::ref(samples),
                                            std::ref(*runner.loops()[1]));
  });
  samples.report(state);
}
BENCHMARK(ping_pong)->ArgName("asleep")->Arg(0)->UseRealTime();
BENCHMARK(ping_pong)->ArgName("asleep")->Arg(1)->UseRealTime()->Iterations(2000);

// What a Runner costs whose loops have nothing to do, in per cent of one processor.
void idle_runner(benchmark::State& state) {
  coil::Runner runner({.loops = 2});
  double busy = 0;
  double wall = 0;
  for (auto _ : state) {
    const std::clock_t cpu = std::clock();
    const auto begin = coil::Clock::now();
    runner.run([]() -> coil::Coro<> { co_await coil::sleep(std::chrono::seconds(1)); });
    busy += static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
    wall += std::chrono::duration<double>(coil::Clock::now() - begin).count();
  }
  state.counters["cpu_percent"] = 100 * busy / wall;
}
BENCHMARK(idle_runner)->UseRealTime()->Iterations(1)->Unit(benchmark::kMillisecond);

using Futures = std::vector<coil::Future<int>>;

// A future completed on one loop, awaited on another, and back: two futures a round.
void future_across_loops(benchmark::State& state) {
  coil::Runner runner({.loops = 2});
  runner.run([&]() -> coil::Coro<> {
    Futures there;
    Futures back;
    constexpr int rounds = 1000;
    for (auto _ : state) {
      state.PauseTiming();
      there.clear();
      back.clear();
      for (int i = 0; i < rounds; ++i) {
        there.push_back(coil::create_future<int>());
        back.push_back(coil::create_future<int>());
      }
      state.ResumeTiming();
      auto echo = runner.loops()[1]->create_task(
          [](Futures& in, Futures& out) -> coil::Coro<> {
            for (int i = 0; i < rounds; ++i) out[i].set_result(co_await in[i]);
          },
          std::ref(there), std::ref(back));
      auto ask = runner.loops()[0]->create_task(
          [](Futures& out, Futures& in) -> coil::Coro<> {
            for (int i = 0; i < rounds; ++i) {
              out[i].set_result(i);
              co_await in[i];
            }
          },
          std::ref(there), std::ref(back));
      co_await ask;
      co_await echo;
    }
  });
  bench::per_operation(state, state.iterations() * 1000);
}
BENCHMARK(future_across_loops)->UseRealTime();

}  // namespace
