// A bounded queue between one producer and one consumer: time per item. Baseline: the same items
// through a std::deque under a mutex, on one thread, filled and drained in turn.
//
// On two loops the consumer runs beside the producer: /2 lets the loops steal the tasks from each
// other, `pinned` fixes one to each.
#include <coil/queue.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <deque>
#include <mutex>

#include "in_loop.hpp"

namespace {

constexpr int items = 100'000;

coil::Coro<> produce(coil::Queue<int>& queue) {
  for (int i = 0; i < items; ++i) co_await queue.put(i);
}
coil::Coro<> consume(coil::Queue<int>& queue, std::int64_t& sum) {
  for (int i = 0; i < items; ++i) sum += co_await queue.get();
}

void check(benchmark::State& state, std::int64_t sum) {
  constexpr std::int64_t one_round = std::int64_t{items} * (items - 1) / 2;
  if (sum != state.iterations() * one_round) state.SkipWithError("items were lost");
}

void queue_put_get(benchmark::State& state) {
  std::int64_t sum = 0;
  bench::in_loop(state, static_cast<int>(state.range(0)), [&](auto& s) -> coil::Coro<> {
    coil::Queue<int> queue(state.range(1));
    for (auto _ : s) {
      auto consumer = coil::create_task(consume(queue, sum));
      auto producer = coil::create_task(produce(queue));
      co_await producer;
      co_await consumer;
    }
  });
  check(state, sum);
  bench::per_operation(state, state.iterations() * items);
}
BENCHMARK(queue_put_get)
    ->ArgNames({"loops", "maxsize"})
    ->ArgsProduct({{1, 2}, {1, 16, 128, 1024}})
    ->UseRealTime();

void queue_put_get_pinned(benchmark::State& state) {
  std::int64_t sum = 0;
  coil::Runner runner({.loops = 2});
  runner.run([&]() -> coil::Coro<> {
    coil::Queue<int> queue(state.range(0));
    for (auto _ : state) {
      auto consumer = runner.loops()[1]->create_task(consume(queue, sum));
      auto producer = runner.loops()[0]->create_task(produce(queue));
      co_await producer;
      co_await consumer;
    }
  });
  check(state, sum);
  bench::per_operation(state, state.iterations() * items);
}
BENCHMARK(queue_put_get_pinned)->ArgName("maxsize")->Arg(16)->Arg(128)->Arg(1024)->UseRealTime();

// Neither waits: the price of the two operations alone.
void queue_nowait(benchmark::State& state) {
  coil::Queue<int> queue(state.range(0));
  for (auto _ : state) {
    for (int i = 0; i < state.range(0); ++i) queue.put_nowait(i);
    for (int i = 0; i < state.range(0); ++i) benchmark::DoNotOptimize(queue.get_nowait());
  }
  bench::per_operation(state, state.iterations() * state.range(0));
}
BENCHMARK(queue_nowait)->Arg(128);

void queue_serial(benchmark::State& state) {
  std::deque<int> queue;
  std::mutex mutex;
  for (auto _ : state) {
    for (int i = 0; i < state.range(0); ++i) {
      const std::lock_guard lock(mutex);
      queue.push_back(i);
    }
    for (int i = 0; i < state.range(0); ++i) {
      const std::lock_guard lock(mutex);
      benchmark::DoNotOptimize(queue.front());
      queue.pop_front();
    }
  }
  bench::per_operation(state, state.iterations() * state.range(0));
}
BENCHMARK(queue_serial)->Arg(128);

}  // namespace
