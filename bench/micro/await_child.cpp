// co_await of a trivial child in place. Baselines: a call that the compiler may not inline, and the
// floor: a coroutine type made by hand that can do nothing but this (no task, no exceptions, no
// reports, frames from a list of its own).
#include <coil/coro.hpp>
#include <coroutine>
#include <exception>
#include <new>
#include <utility>

#include "in_loop.hpp"

namespace {

[[gnu::noinline]] int plain_child(int x) {
  benchmark::DoNotOptimize(x);
  return x + 1;
}

void await_child_serial(benchmark::State& state) {
  int sum = 0;
  for (auto _ : state) sum += plain_child(sum);
  benchmark::DoNotOptimize(sum);
  bench::per_operation(state, state.iterations());
}
BENCHMARK(await_child_serial);

struct FreeBlock {
  FreeBlock* next;
};
FreeBlock* free_blocks = nullptr;

class ByHand {
 public:
  struct promise_type {
    static void* operator new(std::size_t size) {
      if (free_blocks == nullptr) return ::operator new(size);
      return std::exchange(free_blocks, free_blocks->next);
    }
    static void operator delete(void* block) noexcept {
      free_blocks = ::new (block) FreeBlock{free_blocks};
    }
    struct Final {
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      [[nodiscard]] std::coroutine_handle<> await_suspend(
          std::coroutine_handle<promise_type> self) const noexcept {
        return self.promise().continuation;
      }
      void await_resume() const noexcept {}
    };
    ByHand get_return_object() noexcept {
      return ByHand(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] Final final_suspend() const noexcept { return {}; }
    void return_value(int x) noexcept { value = x; }
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }

    std::coroutine_handle<> continuation = std::noop_coroutine();
    int value = 0;
  };
  using Handle = std::coroutine_handle<promise_type>;

  explicit ByHand(Handle handle) noexcept : handle_(handle) {}
  ByHand(const ByHand&) = delete;
  ByHand& operator=(const ByHand&) = delete;
  ~ByHand() { handle_.destroy(); }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  Handle await_suspend(std::coroutine_handle<> parent) noexcept {
    handle_.promise().continuation = parent;
    return handle_;
  }
  [[nodiscard]] int await_resume() const noexcept { return handle_.promise().value; }
  void resume() { handle_.resume(); }

 private:
  Handle handle_;
};

[[gnu::noinline]] ByHand child_by_hand(int x) { co_return x + 1; }
ByHand await_by_hand(benchmark::State& state) {
  int sum = 0;
  for (auto _ : state) sum += co_await child_by_hand(sum);
  co_return sum;
}

void await_child_by_hand(benchmark::State& state) {
  ByHand parent = await_by_hand(state);
  parent.resume();
  bench::per_operation(state, state.iterations());
}
BENCHMARK(await_child_by_hand);

[[gnu::noinline]] coil::Coro<int> child(int x) { co_return x + 1; }

void await_child(benchmark::State& state) {
  bench::in_loop(state, 1, [](benchmark::State& s) -> coil::Coro<> {
    int sum = 0;
    for (auto _ : s) sum += co_await child(sum);
    benchmark::DoNotOptimize(sum);
  });
  bench::per_operation(state, state.iterations());
}
BENCHMARK(await_child);

}  // namespace
