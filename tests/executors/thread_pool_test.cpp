// ThreadPoolExecutor: what goes in, what comes back, which threads there are, and how it ends.
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <coil/coil.hpp>
#include <functional>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <thread_pool.hpp>
#include <vector>

#include "executor_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using kit::Holding;
using kit::on_loops;
using kit::OwnError;

namespace {

struct Account {
  int balance = 0;
  int add(int amount) { return balance += amount; }
};
int doubled(int n) { return 2 * n; }

TEST(thread_pool, gives_what_the_function_returns) {
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 2}};
    EXPECT_EQ(co_await pool.submit([] { return 7; }), 7);
    EXPECT_EQ(co_await pool.submit(doubled, 21), 42);
    EXPECT_EQ(co_await pool.submit<&doubled>(4), 8);
    EXPECT_EQ(*co_await pool.submit([] { return std::make_unique<int>(5); }), 5);
    int target = 1;
    int& same = co_await pool.submit([&target]() -> int& { return target; });
    EXPECT_EQ(&same, &target);
    static_assert(std::is_same_v<decltype(pool.submit([] {})), Future<void>>);
    co_await pool.shutdown();
  });
}

TEST(thread_pool, keeps_function_and_arguments_until_they_are_used) {
  struct alignas(64) Wide {
    int value;
  };
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 1}};
    const auto wide_place = co_await pool.submit(
        [](const Wide& wide) { return reinterpret_cast<std::uintptr_t>(&wide) % 64; }, Wide{6});
    EXPECT_EQ(wide_place, 0U);
    const std::string text(100, 'x');
    auto joined = pool.submit(
        [](std::string_view view, std::unique_ptr<int> n) { return std::string(view) + char(*n); },
        std::string_view(std::string(text)), std::make_unique<int>('y'));
    EXPECT_EQ(co_await joined, text + "y");
    Account account;
    EXPECT_EQ(co_await pool.submit(&Account::add, &account, 5), 5);
    EXPECT_EQ(co_await pool.submit(&Account::add, std::ref(account), 2), 7);
    EXPECT_EQ(co_await pool.submit<&Account::add>(&account, 1), 8);
    co_await pool.shutdown();
  });
}

TEST(thread_pool, lets_go_of_function_and_arguments_before_its_future_is_done) {
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 2}};
    const auto token = std::make_shared<int>(0);
    for (int round = 0; round < 50; ++round) {
      co_await pool.submit([held = token](const std::shared_ptr<int>&) {}, token);
      EXPECT_EQ(token.use_count(), 1);
      (void)co_await kit::thrown_by<OwnError>(
          pool.submit([held = token] { throw OwnError("broken", 1); }));
      EXPECT_EQ(token.use_count(), 1);
    }
    co_await pool.shutdown();
  });
}

TEST(thread_pool, throws_what_the_function_throws_with_its_type) {
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 2}};
    EXPECT_EQ(co_await kit::thrown_by<OwnError>(pool.submit([] { throw OwnError("broken", 3); })),
              "broken");
    try {
      co_await pool.submit([] { throw 42; });
      ADD_FAILURE();
    } catch (int number) {
      EXPECT_EQ(number, 42);
    }
    auto cancelled = pool.submit([] { throw CancelledError("own"); });
    EXPECT_EQ(co_await kit::thrown_by<CancelledError>(cancelled), "own");
    EXPECT_TRUE(cancelled.cancelled());
    EXPECT_EQ(current_task().cancelling(), 0);
    co_await pool.shutdown();
  });
}

// Copies and moves that throw: of arguments on the way in, of the result on its way out.
TEST(thread_pool, throws_what_copies_of_arguments_and_results_throw) {
  struct Fragile {
    explicit Fragile(int n) : moves_left(n) {}
    Fragile(Fragile&& other) : moves_left(other.moves_left - 1) {
      if (moves_left < 0) throw OwnError("moved too often", 0);
    }
    int moves_left;
  };
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 1}};
    int arrived = 0;
    int thrown = 0;
    for (int moves = 0; moves < 12; ++moves) {
      try {
        co_await pool.submit([](const Fragile&) {}, Fragile(moves));
        ++arrived;
      } catch (const OwnError&) {
        ++thrown;
      }
      try {
        (void)co_await pool.submit([moves] { return Fragile(moves); });
        ++arrived;
      } catch (const OwnError&) {
        ++thrown;
      }
    }
    EXPECT_GT(arrived, 2);
    EXPECT_GT(thrown, 2);
    EXPECT_EQ(co_await pool.submit(doubled, 1), 2) << "the pool has survived it";
    co_await pool.shutdown();
  });
}

TEST(thread_pool, needs_no_loop) {
  const kit::Watchdog watchdog;
  ThreadPoolExecutor pool{{.max_workers = 3}};
  EXPECT_EQ(pool.submit(doubled, 3).get(), 6);
  EXPECT_THROW(pool.submit([] { throw OwnError("broken", 1); }).get(), OwnError);
  std::atomic<int> sum = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) sum += pool.submit(doubled, i).get();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sum, 4 * 500 * 499);
  pool.shutdown().get();
}

TEST(thread_pool, serves_several_runners_at_once) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  ThreadPoolExecutor pool{{.max_workers = 2}};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&pool] {
      run(
          [&]() -> Coro<> {
            for (int i = 0; i < 300; ++i)
              EXPECT_EQ(co_await run_in_executor(&pool, doubled, i), 2 * i);
          },
          {.loops = 2, .pin = false});
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(thread_pool, calls_on_threads_that_are_no_loop_and_bound_to_no_processor) {
  KIT_USES_THREADS();
  const auto processors = [] {
    cpu_set_t set;
    return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -1;
  };
  const int allowed = processors();
  on_loops([&]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 2}};
    EXPECT_EQ(co_await pool.submit([] { return get_running_loop_or_null(); }), nullptr);
    EXPECT_NE(co_await pool.submit([] { return std::this_thread::get_id(); }),
              std::this_thread::get_id());
    EXPECT_EQ(co_await pool.submit(processors), allowed);
    co_await pool.shutdown();
  });
}

TEST(thread_pool, grows_on_demand_up_to_max_workers) {
  const kit::Watchdog watchdog;
  {
    ThreadPoolExecutor many{{.max_workers = 100}};
    std::set<std::thread::id> used;
    for (int i = 0; i < 50; ++i) {
      used.insert(many.submit([] { return std::this_thread::get_id(); }).get());
      std::this_thread::sleep_for(100us);  // its thread completes the future, and then is free
    }
    EXPECT_LT(used.size(), 25U) << "an idle thread comes before a new one";
  }
  ThreadPoolExecutor pool{{.max_workers = 3}};
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::latch full(3);
  std::vector<Future<>> calls;
  for (int i = 0; i < 12; ++i) {
    calls.push_back(pool.submit([&, i] {
      const int now = ++inside;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      if (i < 3) full.arrive_and_wait();
      --inside;
    }));
  }
  for (auto& call : calls) call.get();
  EXPECT_EQ(most, 3);
}

TEST(thread_pool, calls_in_order_when_there_is_one_thread) {
  const kit::Watchdog watchdog;
  ThreadPoolExecutor pool{{.max_workers = 1}};
  std::vector<int> order;
  std::vector<Future<>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(pool.submit([&order, i] { order.push_back(i); }));
  for (auto& call : calls) call.get();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(thread_pool, names_its_threads) {
  const kit::Watchdog watchdog;
  ThreadPoolExecutor plain(ThreadPoolOptions{.max_workers = 1});
  EXPECT_EQ(plain.submit(kit::thread_name).get(), "coil-thread-0");
  ThreadPoolExecutor named{{.max_workers = 1, .thread_name_prefix = "disk"}};
  EXPECT_EQ(named.submit(kit::thread_name).get(), "disk-0");
  ThreadPoolExecutor cut{{.max_workers = 1, .thread_name_prefix = "a-name-that-is-far-too-long"}};
  EXPECT_EQ(cut.submit(kit::thread_name).get(), "a-name-that-i-0");
}

TEST(thread_pool, ends_threads_that_are_idle_for_long) {
  const kit::Watchdog watchdog;
  const detail::Ref<detail::ThreadPool> pool(new detail::ThreadPool({.max_workers = 4}, 20ms),
                                             detail::AdoptRef{});
  struct Direct final : Executor {
    explicit Direct(detail::ThreadPool& p) : pool(p) {}
    void execute(Work& work) override { pool.execute(work); }
    Future<void> close(ShutdownOptions options) override { return pool.close(options); }
    detail::ThreadPool& pool;
  } executor(*pool);
  for (int round = 0; round < 3; ++round) {
    // What a thread has of its own goes when it ends.
    static std::atomic<int> there = 0;
    struct Mark {
      Mark() { ++there; }
      ~Mark() { --there; }
      bool used = false;
    };
    std::latch all(4);
    std::vector<Future<>> calls;
    for (int i = 0; i < 4; ++i) {
      calls.push_back(executor.submit([&all] {
        thread_local Mark mark;
        mark.used = true;
        all.arrive_and_wait();
      }));
    }
    for (auto& call : calls) call.get();
    EXPECT_EQ(there, 4);
    while (there != 0) std::this_thread::sleep_for(1ms);
  }
  pool->close_calls(false);
  pool->join();
}

TEST(thread_pool, calls_the_initializer_on_each_thread_before_its_first_call) {
  const kit::Watchdog watchdog;
  static thread_local int prepared = 0;
  std::atomic<int> initialized = 0;
  ThreadPoolExecutor pool{{.max_workers = 2, .initializer = [&initialized] {
                             ++prepared;
                             ++initialized;
                           }}};
  std::latch both(2);
  const auto use = [&both] {
    both.arrive_and_wait();
    return prepared;
  };
  auto first = pool.submit(use);
  auto second = pool.submit(use);
  EXPECT_EQ(first.get(), 1);
  EXPECT_EQ(second.get(), 1);
  EXPECT_EQ(pool.submit([] { return prepared; }).get(), 1);
  EXPECT_EQ(initialized, 2);
}

TEST(thread_pool, starts_threads_while_others_are_in_their_initializer) {
  const kit::Watchdog watchdog;
  std::latch all(4);
  ThreadPoolExecutor pool{{.max_workers = 4, .initializer = [&all] { all.arrive_and_wait(); }}};
  std::vector<Future<int>> calls;
  for (int i = 0; i < 4; ++i) calls.push_back(pool.submit(doubled, i));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(calls[static_cast<std::size_t>(i)].get(), 2 * i);
}

TEST(thread_pool, is_broken_by_an_initializer_that_throws) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    kit::Reports reports;
    std::latch go(1);
    ThreadPoolExecutor pool{{.max_workers = 1, .initializer = [&go] {
                               go.wait();
                               throw OwnError("not today", 1);
                             }}};
    std::vector<Future<int>> calls;
    for (int i = 0; i < 5; ++i) calls.push_back(pool.submit(doubled, i));
    go.count_down();
    for (auto& call : calls)
      EXPECT_NE((co_await kit::thrown_by<BrokenThreadPool>(call)).find("initializer"),
                std::string::npos);
    EXPECT_THROW(pool.submit(doubled, 1), BrokenThreadPool);
    EXPECT_THROW(pool.submit(doubled, 1), BrokenExecutor);
    EXPECT_EQ(reports.count("initializer of a ThreadPoolExecutor"), 1) << reports.text();
    co_await pool.shutdown();
  });
}

TEST(thread_pool, refuses_impossible_options) {
  try {
    ThreadPoolExecutor pool{{.max_workers = -3}};
    ADD_FAILURE();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("max_workers"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("-3"), std::string::npos);
  }
}

TEST(thread_pool, whose_queue_is_full_blocks_a_thread_and_throws_on_a_loop) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 1, .max_queue = 2}};
    Holding holding(pool, 1);
    co_await holding.held();
    auto first = pool.submit(doubled, 1);
    auto second = pool.submit(doubled, 2);
    EXPECT_THROW(pool.submit(doubled, 3), QueueFull);
    auto patient = run_in_executor(&pool, doubled, 4);

    std::atomic<bool> submitted = false;
    std::thread thread([&] {
      auto third = pool.submit(doubled, 3);
      submitted = true;
      EXPECT_EQ(third.get(), 6);
    });
    co_await sleep(2ms);
    EXPECT_FALSE(submitted);
    EXPECT_TRUE(patient.cancel()) << "which makes no room: it was beyond the limit";
    co_await sleep(1ms);
    EXPECT_FALSE(submitted);
    EXPECT_TRUE(first.cancel());
    co_await kit::until([&] { return submitted.load(); });
    holding.let_go();
    EXPECT_EQ(co_await second, 4);
    thread.join();
    co_await pool.shutdown();
  });
}

TEST(thread_pool, gives_room_to_who_waits_for_it_when_a_call_ends) {
  const kit::Watchdog watchdog;
  ThreadPoolExecutor pool{{.max_workers = 1, .max_queue = 1}};
  std::atomic<int> sum = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      std::vector<Future<>> calls;
      for (int i = 0; i < 200; ++i) calls.push_back(pool.submit([&sum] { ++sum; }));
      for (auto& call : calls) call.get();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sum, 600);
}

// Submitters, threads that fall asleep and wake, and cancels meet at all times of each other. A
// call that is lost hangs the test.
TEST(thread_pool, calls_everything_however_calls_and_threads_meet) {
  const kit::Watchdog watchdog;
  for (const int workers : {1, 2, 5}) {
    ThreadPoolExecutor pool{{.max_workers = workers}};
    std::atomic<int> ran = 0;
    std::atomic<int> cancelled = 0;
    constexpr int rounds = 2000;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        unsigned seed = t * 7919 + 1;
        for (int i = 0; i < rounds; ++i) {
          seed = seed * 1664525 + 1013904223;
          auto call = pool.submit([&ran] { ++ran; });
          auto more = seed >> 30 == 0 ? pool.submit([&ran] { ++ran; }) : call;
          if (seed >> 29 == 1 && call.cancel()) {
            cancelled += 1;
          } else {
            call.get();
          }
          if (more != call) more.get();
          if (seed % 64 == 0) std::this_thread::sleep_for(100us);  // the threads fall asleep
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_GT(ran + cancelled, 3 * rounds);
  }
}

}  // namespace
