// A user's first program, built against the installed tree by find_package and by pkg-config.

#include <chrono>
#include <coil/coil.hpp>
#include <cstdio>

using namespace std::chrono_literals;

namespace {

coil::Coro<int> answer(int value) {
  co_await coil::sleep(1ms);
  co_return value;
}

coil::Coro<int> sum_of_tasks() {
  auto first = coil::create_task(answer(40));
  auto second = coil::create_task(answer(2));
  co_await coil::sleep(2ms);
  // Links what executors need: threads, and oneTBB.
  coil::ArenaExecutor arena;
  co_return co_await coil::run_in_executor(
      &arena, [](int a, int b) { return a + b; }, co_await first, co_await second);
}

}  // namespace

int main() {
  int sum = coil::run(sum_of_tasks());
  std::printf("consumer: %d\n", sum);
  return sum == 42 ? 0 : 1;
}
