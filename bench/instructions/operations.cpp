// How many instructions the operations of core and sched take: run under callgrind by check.py.
//
// One loop, and nothing that waits for the kernel, the clock or another thread: a second run counts
// the same. Each operation runs some times unseen, then under the counter, which is dumped under
// the operation's name.
#include <valgrind/callgrind.h>

#include <coil/async_generator.hpp>
#include <coil/context.hpp>
#include <coil/event.hpp>
#include <coil/fork.hpp>
#include <coil/gather.hpp>
#include <coil/lock.hpp>
#include <coil/memory_channel.hpp>
#include <coil/parallel.hpp>
#include <coil/queue.hpp>
#include <coil/run.hpp>
#include <coil/semaphore.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using coil::Coro;

constexpr int times = 2'000;
constexpr int group = 100;  // tasks that are made together
const char* wanted = "";    // a part of the name, or all

template <class Work>
Coro<> count(const char* name, int operations, Work work) {
  if (std::string(name).find(wanted) == std::string::npos) co_return;
  co_await work(operations / 4);
  CALLGRIND_ZERO_STATS;
  co_await work(operations);
  CALLGRIND_DUMP_STATS_AT(name);
  std::printf("%s %d\n", name, operations);
}

Coro<int> add_one(int x) { co_return x + 1; }
Coro<> nothing() { co_return; }
Coro<long> fibonacci(int n) {
  if (n < 2) co_return n;
  auto [a, b] = co_await coil::fork(fibonacci(n - 1), fibonacci(n - 2));
  co_return a + b;
}

Coro<> count_coroutines_and_tasks() {
  co_await count("await", times, [](int n) -> Coro<> {
    int sum = 0;
    for (int i = 0; i < n; ++i) sum = co_await add_one(sum);
  });
  co_await count("create_task_and_await", times, [](int n) -> Coro<> {
    int sum = 0;
    for (int i = 0; i < n; ++i) sum = co_await coil::create_task(add_one(sum));
  });
  co_await count("spawn", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; i += group) {
      for (int j = 0; j < group; ++j) coil::create_task(nothing());
      co_await coil::sleep(0ms);
    }
  });
  co_await count("yield", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; ++i) co_await coil::sleep(0ms);
  });
  co_await count("gather", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; i += group) {
      std::vector<Coro<int>> children;
      children.reserve(group);
      for (int j = 0; j < group; ++j) children.push_back(add_one(j));
      co_await coil::gather(std::move(children));
    }
  });
  co_await count("task_group", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; i += group)
      co_await coil::with_task_group([](coil::TaskGroup& tasks) -> Coro<> {
        for (int j = 0; j < group; ++j) tasks.create_task(nothing());
        co_return;
      });
  });
  co_await count("cancel_a_sleeper", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; i += group) {
      std::vector<coil::Task<>> sleepers;
      for (int j = 0; j < group; ++j) sleepers.push_back(coil::create_task(coil::sleep(1h)));
      co_await coil::sleep(0ms);
      for (auto& sleeper : sleepers) sleeper.cancel();
      co_await coil::gather_results(std::move(sleepers));
    }
  });
}

Coro<> count_forks() {
  co_await count("fork_one", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; ++i) co_await coil::fork(add_one(i));
  });
  co_await count("fork_two", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; ++i) co_await coil::fork(add_one(i), add_one(i));
  });
  // As many calls as fibonacci(15) takes.
  co_await count("fork_fibonacci", 1973,
                 [](int n) -> Coro<> { co_await fibonacci(n < 1973 ? 12 : 15); });
  co_await count("parallel_for", times, [](int n) -> Coro<> {
    long sum = 0;
    co_await coil::parallel_for(0, n, 10, [&](int i) { sum += i; });
  });
}

Coro<> count_time() {
  co_await count("timeout", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; ++i) co_await coil::timeout(1h, []() -> Coro<> { co_return; });
  });
  co_await count("timer_arm_and_cancel", times, [](int n) -> Coro<> {
    auto& loop = coil::get_running_loop();
    for (int i = 0; i < n; ++i) loop.call_later(1h, [] {}).cancel();
    co_return;
  });
}

Coro<> count_synchronisation() {
  co_await count("lock", times, [](int n) -> Coro<> {
    coil::Lock lock;
    for (int i = 0; i < n; ++i) {
      co_await lock.acquire();
      lock.release();
    }
  });
  co_await count("semaphore_scoped", times, [](int n) -> Coro<> {
    coil::Semaphore semaphore(3);
    for (int i = 0; i < n; ++i) auto permit = co_await semaphore.scoped();
  });
  co_await count("event", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; ++i) {
      coil::Event event;
      auto waiter = coil::create_task([&]() -> Coro<> { co_await event.wait(); });
      co_await coil::sleep(0ms);
      event.set();
      co_await waiter;
    }
  });
  co_await count("queue", times, [](int n) -> Coro<> {
    coil::Queue<int> queue(16);
    auto consumer = coil::create_task([&]() -> Coro<> {
      for (int i = 0; i < n; ++i) co_await queue.get();
    });
    for (int i = 0; i < n; ++i) co_await queue.put(i);
    co_await consumer;
  });
  co_await count("memory_channel", times, [](int n) -> Coro<> {
    auto [sender, receiver] = coil::open_memory_channel<int>(16);
    auto consumer = coil::create_task([&]() -> Coro<> {
      for (int i = 0; i < n; ++i) co_await receiver.receive();
    });
    for (int i = 0; i < n; ++i) co_await sender.send(i);
    co_await consumer;
  });
}

coil::ContextVar<int> variable{"variable", 0};
volatile int benchmark_value = 0;

coil::AsyncGenerator<int> numbers(int n) {
  for (int i = 0; i < n; ++i) co_yield i;
}

Coro<> count_the_rest() {
  co_await count("generator_item", times, [](int n) -> Coro<> {
    auto generator = numbers(n);
    while (auto item = co_await generator.next()) continue;
  });
  // From here on the program uses context variables, and what follows pays for that.
  co_await count("context_set", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; ++i) variable.set(i);
    co_return;
  });
  co_await count("context_get", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; ++i) benchmark_value = variable.get();
    co_return;
  });
  co_await count("create_task_with_context", times, [](int n) -> Coro<> {
    for (int i = 0; i < n; ++i) co_await coil::create_task(nothing());
  });
}

Coro<> count_all() {
  co_await count_coroutines_and_tasks();
  co_await count_forks();
  co_await count_time();
  co_await count_synchronisation();
  co_await count_the_rest();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) wanted = argv[1];
  coil::run(count_all(), {.loops = 1});
}
