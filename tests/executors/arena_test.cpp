// ArenaExecutor: how many threads, where, and what oneTBB's algorithms do inside.
#include <coil/arena_executor.hpp>

#include <gtest/gtest.h>
#include <sched.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_reduce.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <arena_places.hpp>
#include <atomic>
#include <coil/coil.hpp>
#include <coil/detail/processors.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "executor_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using kit::Holding;
using kit::on_loops;
using kit::OwnError;

namespace {

int doubled(int n) { return 2 * n; }

TEST(arena, gives_what_the_function_returns_or_throws) {
  on_loops([]() -> Coro<> {
    ArenaExecutor arena;
    EXPECT_EQ(co_await run_in_executor(&arena, doubled, 2), 4);
    EXPECT_EQ(co_await arena.submit<&doubled>(3), 6);
    EXPECT_EQ(
        *co_await arena.submit([](std::unique_ptr<int> n) { return n; }, std::make_unique<int>(5)),
        5);
    EXPECT_EQ(co_await kit::thrown_by<OwnError>(arena.submit([] { throw OwnError("broken", 1); })),
              "broken");
    EXPECT_EQ(co_await arena.submit([] { return get_running_loop_or_null(); }), nullptr);
    int sum = 0;
    auto items = arena.map(doubled, std::vector{1, 2, 3});
    while (auto item = co_await items.next()) sum += *item;
    EXPECT_EQ(sum, 12);
    co_await arena.shutdown();
    EXPECT_THROW(arena.submit(doubled, 1), std::runtime_error);
  });
}

TEST(arena, needs_no_loop) {
  const kit::Watchdog watchdog;
  ArenaExecutor arena{{.concurrency = 2}};
  std::atomic<int> sum = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) sum += arena.submit(doubled, i).get();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sum, 3 * 300 * 299);
}

TEST(arena, has_as_many_threads_as_it_is_asked_for) {
  const kit::Watchdog watchdog;
  const int many = static_cast<int>(detail::processor_count()) + 3;
  ArenaExecutor arena{{.concurrency = many}};
  ArenaExecutor other{{.concurrency = 2}};
  EXPECT_EQ(arena.concurrency(), many);
  std::latch all(many + 2);
  std::vector<Future<>> calls;
  for (int i = 0; i < many; ++i) calls.push_back(arena.submit([&all] { all.arrive_and_wait(); }));
  for (int i = 0; i < 2; ++i) calls.push_back(other.submit([&all] { all.arrive_and_wait(); }));
  for (auto& call : calls) call.get();

  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  calls.clear();
  for (int i = 0; i < 30; ++i) {
    calls.push_back(other.submit([&] {
      const int now = ++inside;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::sleep_for(100us);
      --inside;
    }));
  }
  for (auto& call : calls) call.get();
  EXPECT_LE(most, 2);
}

TEST(arena, that_is_not_asked_leaves_the_loops_their_processors) {
  KIT_USES_THREADS();
  const int processors = static_cast<int>(detail::processor_count());
  EXPECT_EQ(ArenaExecutor().concurrency(), processors) << "there is no loop";
  on_loops([processors]() -> Coro<> {
    const int loops = static_cast<int>(detail::loop_count());
    EXPECT_EQ(ArenaExecutor().concurrency(), std::max(1, processors - loops));
    co_return;
  });
  EXPECT_EQ(detail::loop_count(), 0U);
}

using Nodes = std::vector<detail::NodeProcessors>;

TEST(arena, has_threads_on_each_node_in_proportion_to_its_processors) {
  const Nodes nodes{{0, {0, 1, 2, 3}}, {1, {4, 5, 6, 7}}};
  const auto threads = [&](ArenaOptions options, std::size_t loops) {
    std::vector<std::pair<unsigned, int>> found;
    for (const auto& place : detail::place_arenas(nodes, options, loops))
      found.emplace_back(place.on.node, place.threads);
    return found;
  };
  using Found = std::vector<std::pair<unsigned, int>>;
  EXPECT_EQ(threads({}, 0), (Found{{0, 4}, {1, 4}}));
  EXPECT_EQ(threads({}, 4), (Found{{0, 2}, {1, 2}}));
  EXPECT_EQ(threads({}, 5), (Found{{0, 1}, {1, 2}}));
  EXPECT_EQ(threads({}, 8), (Found{{1, 1}})) << "one, though there is a loop on each processor";
  EXPECT_EQ(threads({}, 100), (Found{{1, 1}}));
  EXPECT_EQ(threads({.concurrency = 20}, 8), (Found{{0, 10}, {1, 10}}));
  EXPECT_EQ(threads({.numa_node = 1}, 2), (Found{{1, 4}}));
  EXPECT_EQ(threads({.numa_node = 1}, 6), (Found{{1, 2}}));
  EXPECT_EQ(threads({.concurrency = 3, .numa_node = 0}, 6), (Found{{0, 3}}));
}

TEST(arena, refuses_impossible_options) {
  EXPECT_THROW((ArenaExecutor{{.concurrency = -1}}), std::invalid_argument);
  const Nodes nodes{{0, {0}}, {3, {1}}};
  for (const int node : {-2, 1, 2}) {
    try {
      (void)detail::place_arenas(nodes, {.numa_node = node}, 0);
      ADD_FAILURE();
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(error.what(), "ArenaExecutor: numa_node " + std::to_string(node) +
                                  " has no processors for this process; there are: 0, 3");
    }
  }
}

TEST(arena, is_not_bound_to_the_processor_of_a_loop) {
  KIT_USES_THREADS();
  const auto processors = [] {
    cpu_set_t set;
    return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -1;
  };
  int on_a_node = 0;
  for (const auto& node : detail::node_processors())
    on_a_node = std::max(on_a_node, static_cast<int>(node.processors.size()));
  on_loops([&]() -> Coro<> {
    ArenaExecutor arena{{.concurrency = 2}};
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(co_await run_in_executor(&arena, processors), on_a_node);
    }
    co_await arena.shutdown();
  });
}

TEST(arena, runs_parallel_algorithms_inside_a_function_on_its_own_threads) {
  const kit::Watchdog watchdog;
  ArenaExecutor arena{{.concurrency = 3}};
  const auto compute = [] {
    std::mutex mutex;
    std::set<std::thread::id> threads;
    std::atomic<long> sum = 0;
    const int width = tbb::this_task_arena::max_concurrency();
    tbb::parallel_for(0, 1000, [&](int i) {
      sum += i;
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
    });
    EXPECT_EQ(sum, 999 * 500);
    EXPECT_LE(threads.size(), 3U);
    return width;
  };
  std::vector<Future<int>> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(arena.submit(compute));
  for (auto& call : calls) EXPECT_EQ(call.get(), 3);
}

// Else a function that holds a lock while it waits for its own algorithm may be made to wait for
// itself.
TEST(arena, does_nothing_of_others_on_a_thread_that_waits_for_its_own_algorithm) {
  const kit::Watchdog watchdog;
  ArenaExecutor arena{{.concurrency = 3}};
  std::atomic<int> strange = 0;
  // Two calls at a time: the third thread takes pieces of both, so that both wait for it.
  const auto call = [&](int i) {
    return arena.submit([&strange, i] {
      thread_local int inside = -1;
      if (inside != -1) ++strange;
      inside = i;
      tbb::parallel_for(0, 16, [&strange, i](int n) {
        if (inside != -1 && inside != i) ++strange;
        std::this_thread::sleep_for(std::chrono::microseconds(n * 10));
      });
      inside = -1;
    });
  };
  for (int i = 0; i < 60; i += 2) {
    auto first = call(i);
    auto second = call(i + 1);
    first.get();
    second.get();
  }
  EXPECT_EQ(strange, 0);
}

TEST(arena, takes_a_call_that_waits_out_of_line_when_it_is_cancelled) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    kit::Reports reports;
    ArenaExecutor arena{{.concurrency = 1}};
    Holding holding(arena, 1);
    co_await holding.held();
    bool ran = false;
    const auto held = std::make_shared<int>(0);
    auto future = run_in_executor(&arena, [&ran, held] { ran = true; });
    auto after = run_in_executor(&arena, doubled, 1);
    EXPECT_TRUE(future.cancel());
    EXPECT_EQ(held.use_count(), 1);
    holding.let_go();
    EXPECT_EQ(co_await after, 2);
    co_await arena.shutdown();
    EXPECT_FALSE(ran);
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

TEST(arena, begins_calls_in_the_order_in_which_they_came) {
  const kit::Watchdog watchdog;
  ArenaExecutor arena{{.concurrency = 1}};
  std::vector<int> order;
  std::vector<Future<>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(arena.submit([&order, i] { order.push_back(i); }));
  for (auto& call : calls) call.get();
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.size(), 100U);
}

TEST(arena, that_is_shut_down_ends_what_it_has_or_cancels_it) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    ArenaExecutor arena{{.concurrency = 1}};
    Holding holding(arena, 1);
    co_await holding.held();
    auto waits = arena.submit(doubled, 1);
    EXPECT_TRUE(arena.shutdown({.wait = false}).done());
    EXPECT_FALSE(waits.done());
    auto given_up = arena.shutdown();
    given_up.cancel();
    auto ended = arena.shutdown({.cancel_futures = true});
    EXPECT_TRUE(waits.cancelled());
    EXPECT_FALSE(ended.done());
    holding.let_go();
    co_await ended;
  });
}

TEST(arena, waits_for_its_calls_when_it_is_destroyed) {
  const kit::Watchdog watchdog;
  std::atomic<int> ended = 0;
  {
    ArenaExecutor arena{{.concurrency = 2}};
    for (int i = 0; i < 10; ++i) {
      (void)arena.submit([&ended] {
        std::this_thread::sleep_for(100us);
        ++ended;
      });
    }
  }
  EXPECT_EQ(ended, 10);
}

TEST(arena, may_be_dropped_by_a_function_that_it_runs) {
  const kit::Watchdog watchdog;
  for (int round = 0; round < 5; ++round) {
    auto arena = std::make_shared<ArenaExecutor>(ArenaOptions{.concurrency = 1});
    auto dropped = std::make_shared<std::latch>(1);
    auto first = arena->submit([arena, dropped]() mutable {
      dropped->wait();
      arena.reset();  // the last one
      return 1;
    });
    auto second = arena->submit(doubled, 4);
    arena.reset();
    dropped->count_down();
    EXPECT_EQ(first.get(), 1);
    EXPECT_EQ(second.get(), 8);
  }
}

}  // namespace
