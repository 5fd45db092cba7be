// Acquire and release of a lock and of a semaphore that nobody else wants. Baseline: a std::mutex,
// which blocks the thread where these suspend the task.
#include <coil/lock.hpp>
#include <coil/semaphore.hpp>
#include <coil/sleep.hpp>
#include <coil/task_group.hpp>
#include <mutex>

#include "in_loop.hpp"

namespace {

void lock_serial(benchmark::State& state) {
  std::mutex mutex;
  for (auto _ : state) {
    mutex.lock();
    benchmark::ClobberMemory();
    mutex.unlock();
  }
  bench::per_operation(state, state.iterations());
}
BENCHMARK(lock_serial);

void lock_uncontended(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    coil::Lock lock;
    for (auto _ : s) {
      co_await lock.acquire();
      benchmark::ClobberMemory();
      lock.release();
    }
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(lock_uncontended);

void lock_uncontended_scoped(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    coil::Lock lock;
    for (auto _ : s) {
      auto guard = co_await lock.scoped();
      benchmark::ClobberMemory();
    }
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(lock_uncontended_scoped);

void semaphore_uncontended(benchmark::State& state) {
  bench::in_loop(state, 1, [](auto& s) -> coil::Coro<> {
    coil::Semaphore semaphore(3);
    for (auto _ : s) {
      co_await semaphore.acquire();
      benchmark::ClobberMemory();
      semaphore.release();
    }
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(semaphore_uncontended);

// Four tasks that hand a lock round, each holding it across a yield: every acquire suspends.
void lock_handed_over(benchmark::State& state) {
  constexpr int tasks = 4;
  bench::in_loop(state, static_cast<int>(state.range(0)), [](auto& s) -> coil::Coro<> {
    coil::Lock lock;
    bool more = true;
    co_await coil::with_task_group([&](coil::TaskGroup& group) -> coil::Coro<> {
      for (int i = 0; i < tasks; ++i)
        group.create_task([&]() -> coil::Coro<> {
          for (;;) {
            auto guard = co_await lock.scoped();
            more = more && s.KeepRunning();
            if (!more) co_return;
            co_await coil::checkpoint();
          }
        });
      co_return;
    });
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(lock_handed_over)->Arg(1)->Arg(2)->UseRealTime();

}  // namespace
