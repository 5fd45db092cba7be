// Context variables: reading one, setting one, and what 8 of them cost a task that inherits them.
// Baseline: a thread_local that is read by an out-of-line function.
#include <coil/context.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>

#include "in_loop.hpp"

namespace {

coil::ContextVar<int> vars[8] = {{"v0", 0}, {"v1", 0}, {"v2", 0}, {"v3", 0},
                                 {"v4", 0}, {"v5", 0}, {"v6", 0}, {"v7", 0}};
coil::ContextVar<int> unset{"unset", 0};

void set_all() {
  for (int i = 0; i < 8; ++i) vars[i].set(i);
}

coil::Coro<> nothing() { co_return; }

coil::Coro<> spawn(benchmark::State& state) {
  constexpr int batch = 1000;
  for (auto _ : state) {
    for (int i = 0; i < batch; ++i) coil::create_task(nothing());
    co_await coil::sleep(std::chrono::nanoseconds(0));
  }
  bench::per_operation(state, state.iterations() * batch);
}

// First: no variable has been set in this program yet.
void spawn_before_any_is_set(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) { return spawn(s); });
}
BENCHMARK(spawn_before_any_is_set)->UseRealTime();

void spawn_with_none_set(benchmark::State& state) {
  coil::Context().run(set_all);
  bench::in_loop(state, 1, [](auto& s) { return spawn(s); });
}
BENCHMARK(spawn_with_none_set)->UseRealTime();

void spawn_with_8_set(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    set_all();
    co_await spawn(s);
  });
}
BENCHMARK(spawn_with_8_set)->UseRealTime();

void get(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    set_all();
    for (auto _ : s) benchmark::DoNotOptimize(vars[5].get());
    co_return;
  });
}
BENCHMARK(get);

void get_default(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    set_all();
    for (auto _ : s) benchmark::DoNotOptimize(unset.get());
    co_return;
  });
}
BENCHMARK(get_default);

void set(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    set_all();
    int i = 0;
    for (auto _ : s) vars[5].set(++i);
    co_return;
  });
}
BENCHMARK(set);

void copy(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    set_all();
    for (auto _ : s) benchmark::DoNotOptimize(coil::copy_context());
    co_return;
  });
}
BENCHMARK(copy);

[[gnu::noinline]] int read_thread_local() {
  static thread_local int value = 5;
  asm volatile("" ::: "memory");
  return value;
}

void get_thread_local(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(read_thread_local());
}
BENCHMARK(get_thread_local);

}  // namespace
