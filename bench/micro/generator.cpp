// An item of an asynchronous generator, and making and ending one. Baseline: the same items from a
// function that is called.
#include <coil/async_generator.hpp>

#include "in_loop.hpp"

namespace {

coil::AsyncGenerator<long> count_to(long n) {
  for (long i = 0; i < n; ++i) co_yield i;
}

void generator_item(benchmark::State& state) {
  constexpr long items = 1000;
  bench::in_loop(state, static_cast<int>(state.range(0)), [](auto& s) -> coil::Coro<> {
    for (auto _ : s) {
      long sum = 0;
      COIL_FOR_AWAIT(const long x, count_to(items)) sum += x;
      benchmark::DoNotOptimize(sum);
    }
  });
  bench::per_operation(state, state.iterations() * items);
}
BENCHMARK(generator_item)->Arg(1)->Arg(2);

void generator_of_one_item(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    for (auto _ : s) {
      COIL_FOR_AWAIT(const long x, count_to(1)) benchmark::DoNotOptimize(x);
    }
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(generator_of_one_item);

void generator_closed_after_one_item(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    for (auto _ : s) {
      COIL_FOR_AWAIT(const long x, count_to(9)) {
        benchmark::DoNotOptimize(x);
        break;
      }
    }
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(generator_closed_after_one_item);

struct Counter {
  long at = 0;
  [[gnu::noinline]] bool next(long& item) {
    item = at++;
    asm volatile("" ::: "memory");
    return item < 1000;
  }
};

void generator_serial(benchmark::State& state) {
  for (auto _ : state) {
    long sum = 0;
    Counter counter;
    for (long item = 0; counter.next(item);) sum += item;
    benchmark::DoNotOptimize(sum);
  }
  bench::per_operation(state, state.iterations() * 1000);
}
BENCHMARK(generator_serial);

}  // namespace
