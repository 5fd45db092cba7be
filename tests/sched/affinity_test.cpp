// Affinity: who moves, who stays, and that what stays never runs in parallel.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <kit/loops.hpp>
#include <thread>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

unsigned here() { return get_running_loop().index(); }

TEST(affinity, keeps_pinned_tasks_on_their_loop_and_never_in_parallel) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 4});
  runner.run([&]() -> Coro<> {
    struct PerLoop {
      std::atomic<int> inside{0};
      int steps = 0;  // no atomic: that is the promise
    };
    std::vector<PerLoop> per_loop(4);
    std::atomic<int> overlaps{0};
    std::atomic<int> moves{0};
    auto body = [&](unsigned home) -> Coro<> {
      PerLoop& mine = per_loop[home];
      for (int i = 0; i < 300; ++i) {
        if (here() != home) moves.fetch_add(1);
        if (mine.inside.fetch_add(1) != 0) overlaps.fetch_add(1);
        ++mine.steps;
        mine.inside.fetch_sub(1);
        if (i % 3 == 0) {
          co_await sleep(1us);
        } else {
          co_await kit::yield();
        }
      }
    };
    std::vector<Task<>> tasks;
    for (Loop* loop : runner.loops())
      for (int i = 0; i < 8; ++i) tasks.push_back(loop->create_task(body, loop->index()));
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(overlaps, 0);
    EXPECT_EQ(moves, 0);
    for (const auto& loop : per_loop) EXPECT_EQ(loop.steps, 8 * 300);
  });
}

TEST(affinity, stays_where_the_task_was_made_when_asked_to) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 3});
  runner.run([&]() -> Coro<> {
    for (Loop* loop : runner.loops()) {
      auto outer = loop->create_task([]() -> Coro<> {
        const unsigned home = here();
        auto inner = create_task(
            [home]() -> Coro<> {
              for (int i = 0; i < 200; ++i) {
                EXPECT_EQ(here(), home);
                co_await sleep(i % 2 == 0 ? 0us : 1us);
              }
            },
            {.affinity = Affinity::loop});
        co_await inner;
      });
      co_await outer;
    }
  });
}

TEST(affinity, brings_pinned_tasks_home_whoever_wakes_them) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 3});
  runner.run([&]() -> Coro<> {
    for (int round = 0; round < 100; ++round) {
      auto future = create_future<>();
      auto waiter = runner.loops()[1]->create_task([&]() -> Coro<> {
        co_await future;
        EXPECT_EQ(here(), 1U);
      });
      auto setter = runner.loops()[2]->create_task([&]() -> Coro<> {
        future.set_result();
        co_return;
      });
      co_await waiter;
      co_await setter;
      EXPECT_EQ(waiter.get_loop().index(), 1U);
    }
  });
}

TEST(affinity, is_the_loops_own_for_what_foreign_threads_give_it) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  Runner runner({.loops = 3});
  runner.run([&]() -> Coro<> {
    std::atomic<int> over{0};
    std::vector<std::thread> threads;
    for (Loop* loop : runner.loops()) {
      threads.emplace_back([&over, loop] {
        std::vector<Task<>> tasks;
        for (int i = 0; i < 50; ++i) {
          tasks.push_back(loop->create_task([loop]() -> Coro<> {
            for (int n = 0; n < 20; ++n) {
              EXPECT_EQ(&get_running_loop(), loop);
              co_await kit::yield();
            }
          }));
        }
        for (auto& task : tasks) task.get();
        ++over;
      });
    }
    co_await kit::until([&] { return over == 3; });
    for (auto& thread : threads) thread.join();
  });
}

TEST(affinity, lets_a_loop_that_has_nothing_take_the_others_tasks) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2});
  runner.run([&]() -> Coro<> {
    bool met_both = false;
    auto wanderer = create_task([&]() -> Coro<> {
      unsigned seen = 0;
      while (seen != 3) {
        seen |= 1U << here();
        co_await sleep(20us);
      }
      met_both = true;
    });
    // Whoever shares a loop with us has to wait, so the other loop takes it.
    while (!wanderer.done()) {
      if (!kit::simulated()) std::this_thread::sleep_for(200us);
      co_await sleep(kit::simulated() ? 10us : 0us);
    }
    EXPECT_TRUE(met_both);
  });
}

// asyncio's order, also where other loops are about: nobody steals what is pinned.
TEST(affinity, runs_pinned_tasks_in_the_order_in_which_they_became_runnable) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 3});
  runner.run([&]() -> Coro<> {
    std::vector<Task<>> makers;
    for (Loop* loop : runner.loops()) {
      makers.push_back(loop->create_task([]() -> Coro<> {
        std::vector<int> order;
        std::vector<Task<>> tasks;
        for (int i = 0; i < 50; ++i) {
          tasks.push_back(create_task(
              [&order, i]() -> Coro<> {
                for (int round = 0; round < 3; ++round) {
                  order.push_back(round * 50 + i);
                  co_await kit::yield();
                }
              },
              {.affinity = Affinity::loop}));
        }
        for (auto& task : tasks) co_await task;
        EXPECT_EQ(order.size(), 150U);
        EXPECT_TRUE(std::is_sorted(order.begin(), order.end()))
            << "who yields goes behind all that are ready";
      }));
    }
    for (auto& maker : makers) co_await maker;
  });
}

}  // namespace
