// ThreadPoolExecutor: how it ends, by shutdown() and when it is destroyed.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/coil.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "executor_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using kit::Holding;
using kit::on_loops;

namespace {

int doubled(int n) { return 2 * n; }

TEST(thread_pool, that_is_shut_down_wakes_who_waits_for_room) {
  const kit::Watchdog watchdog;
  ThreadPoolExecutor pool{{.max_workers = 1, .max_queue = 1}};
  Holding holding(pool, 1);
  holding.wait_until_held();
  auto queued = pool.submit(doubled, 1);
  std::atomic<bool> refused = false;
  std::thread thread([&] {
    EXPECT_THROW(pool.submit(doubled, 2), std::runtime_error);
    refused = true;
  });
  std::this_thread::sleep_for(2ms);
  auto ended = pool.shutdown();
  thread.join();
  EXPECT_TRUE(refused);
  holding.let_go();
  EXPECT_EQ(queued.get(), 2);
  ended.get();
}

TEST(thread_pool, that_is_shut_down_calls_what_it_has_and_takes_no_more) {
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 2}};
    std::vector<Future<int>> calls;
    for (int i = 0; i < 50; ++i) calls.push_back(pool.submit(doubled, i));
    auto ended = pool.shutdown();
    EXPECT_EQ(co_await kit::thrown_by<std::runtime_error>(
                  [&pool]() -> Coro<> { co_await pool.submit(doubled, 1); }()),
              "submit: cannot schedule new futures after shutdown");
    co_await ended;
    for (int i = 0; i < 50; ++i) {
      EXPECT_TRUE(calls[static_cast<std::size_t>(i)].done());
      EXPECT_EQ(co_await calls[static_cast<std::size_t>(i)], 2 * i);
    }
    co_await pool.shutdown();
  });
}

TEST(thread_pool, that_is_shut_down_cancels_what_has_not_begun_if_asked) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 1}};
    Holding holding(pool, 1);
    co_await holding.held();
    bool ran = false;
    const auto held = std::make_shared<int>(0);
    std::vector<Future<>> calls;
    for (int i = 0; i < 5; ++i) calls.push_back(pool.submit([&ran, held] { ran = true; }));
    const ShutdownOptions options{.cancel_futures = true};
    auto ended = pool.shutdown(options);
    for (auto& call : calls) EXPECT_TRUE(call.cancelled());
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_FALSE(ended.done());
    holding.let_go();
    co_await ended;
    EXPECT_FALSE(ran);
  });
}

TEST(thread_pool, gives_each_caller_of_shutdown_a_future_of_its_own) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 1}};
    Holding holding(pool, 1);
    co_await holding.held();
    auto impatient = pool.shutdown({.wait = false});
    EXPECT_TRUE(impatient.done());
    auto first = pool.shutdown();
    auto second = pool.shutdown();
    EXPECT_TRUE(first.cancel());
    EXPECT_FALSE(second.done());
    holding.let_go();
    co_await second;
    co_await pool.shutdown();
  });
}

TEST(thread_pool, waits_for_its_calls_when_it_is_destroyed) {
  const kit::Watchdog watchdog;
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> ended = 0;
    std::vector<Future<>> calls;
    {
      ThreadPoolExecutor pool{{.max_workers = 3}};
      for (int i = 0; i < 10; ++i) {
        calls.push_back(pool.submit([&ended] {
          std::this_thread::sleep_for(50us);
          ++ended;
        }));
      }
    }
    EXPECT_EQ(ended, 10);
  }
}

TEST(thread_pool, may_be_dropped_by_a_function_that_it_runs) {
  const kit::Watchdog watchdog;
  for (const int threads : {1, 3}) {
    auto pool = std::make_shared<ThreadPoolExecutor>(ThreadPoolOptions{.max_workers = threads});
    auto dropped = std::make_shared<std::latch>(1);
    auto last = pool->submit([pool, dropped]() mutable {
      dropped->wait();
      pool.reset();  // the last one
      return 1;
    });
    std::vector<Future<int>> rest;
    for (int i = 0; i < 5; ++i) rest.push_back(pool->submit(doubled, i));
    pool.reset();
    dropped->count_down();
    EXPECT_EQ(last.get(), 1);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(rest[static_cast<std::size_t>(i)].get(), 2 * i);
  }
}

TEST(thread_pool, takes_functions_that_drop_their_own_future) {
  const kit::Watchdog watchdog;
  ThreadPoolExecutor pool{{.max_workers = 1}};
  for (int round = 0; round < 100; ++round) {
    auto own = std::make_shared<Future<int>>();
    std::latch there(1);
    *own = pool.submit([own, &there] {
      there.wait();
      *own = {};
      return 1;
    });
    there.count_down();
    own.reset();
    EXPECT_EQ(pool.submit(doubled, 1).get(), 2);
  }
}

}  // namespace
