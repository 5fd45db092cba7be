// fork: what children do to the context, on any loop; and deques that grow under thieves.
#include <gtest/gtest.h>

#include <coil/context.hpp>
#include <coil/fork.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <random>
#include <stdexcept>
#include <vector>

using namespace coil;
using kit::on_loops;

namespace {

ContextVar<int> variable{"variable", 0};

// Counts the leaves. Each node sets the variable now and then, and some leaves wait: each finds it
// as it was when it was forked, and again when its own children have ended.
Coro<long> tree(int depth, unsigned seed, int found) {
  std::minstd_rand random(seed);
  if (variable.get() != found) throw std::logic_error("a child sees what another one set");
  if (depth == 0) {
    if (random() % 64 == 0) co_await sleep(std::chrono::microseconds(random() % 200));
    variable.set(static_cast<int>(random() % 1000));
    co_return 1;
  }
  if (random() % 4 == 0) variable.set(static_cast<int>(random() % 1000));
  const int now = variable.get();
  auto [a, b, c] = co_await fork(tree(depth - 1, random(), now), tree(depth - 1, random(), now),
                                 tree(depth - 1, random(), now));
  if (variable.get() != now) throw std::logic_error("a parent sees what a child set");
  co_return a + b + c;
}

TEST(fork_context, is_each_childs_own_wherever_it_runs) {
  for (unsigned seed = 1; seed <= 10; ++seed)
    on_loops([&]() -> Coro<> { EXPECT_EQ(co_await tree(6, seed, 0), 729); });
}

TEST(fork_context, is_each_childs_own_in_tasks_that_are_bound_and_that_move) {
  for (unsigned seed = 1; seed <= 5; ++seed)
    on_loops([&]() -> Coro<> {
      std::vector<Task<long>> tasks;
      for (unsigned i = 0; i < 12; ++i)
        tasks.push_back(create_task(tree(5, 100 * seed + i, 0),
                                    {.affinity = i % 3 == 0 ? Affinity::loop : Affinity::any}));
      for (auto& task : tasks) EXPECT_EQ(co_await task, 243);
    });
}

Coro<long> one() { co_return 1; }
Coro<long> chain(int length) {
  if (length == 0) co_return 0;
  auto [a, b] = co_await fork(chain(length - 1), one());
  co_return a + b;
}

TEST(fork_deque, grows_while_thieves_steal_from_it) {
  on_loops([]() -> Coro<> { EXPECT_EQ(co_await chain(50'000), 50'000); });
}

}  // namespace
