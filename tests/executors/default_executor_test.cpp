// The default executor: whose it is, how it is replaced, and how it ends.
#include <coil/run_in_executor.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <coil/coil.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <latch>
#include <memory>
#include <string>
#include <thread>

#include "executor_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using kit::on_loops;
using kit::thread_name;

namespace {

TEST(default_executor, has_threads_of_its_own_with_a_name) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    // The second call may come before the first one's thread is free again.
    EXPECT_EQ(co_await run_in_executor(thread_name), "coil-thread-0");
    EXPECT_TRUE((co_await to_thread(thread_name)).starts_with("coil-thread-"));
  });
}

TEST(default_executor, belongs_to_the_runner) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  static std::atomic<int> there = 0;
  struct Mark {
    Mark() { ++there; }
    ~Mark() { --there; }
    bool used = false;
  };
  const auto mark = [] {
    thread_local Mark here;
    here.used = true;
  };
  {
    Runner first({.loops = 1});
    first.run([&]() -> Coro<> { co_await to_thread(mark); });
    EXPECT_EQ(there, 1) << "kept for the next run";
    Runner second({.loops = 2});
    second.run([&]() -> Coro<> { co_await to_thread(mark); });
    EXPECT_EQ(there, 2);
    first.close();
    EXPECT_EQ(there, 1);
  }
  EXPECT_EQ(there, 0);
}

TEST(default_executor, is_what_it_is_set_to_for_all_that_name_none) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    Loop& loop = get_running_loop();
    loop.set_default_executor(std::make_shared<ThreadPoolExecutor>(
        ThreadPoolOptions{.max_workers = 1, .thread_name_prefix = "mine"}));
    EXPECT_EQ(co_await run_in_executor(thread_name), "mine-0");
    EXPECT_EQ(co_await loop.run_in_executor<&thread_name>(nullptr), "mine-0");
    EXPECT_EQ(co_await to_thread(thread_name), "mine-0");
    const std::shared_ptr<Executor> other = std::make_shared<ThreadPoolExecutor>(
        ThreadPoolOptions{.max_workers = 1, .thread_name_prefix = "other"});
    loop.set_default_executor(other);
    EXPECT_EQ(co_await to_thread(thread_name), "other-0");
    loop.set_default_executor(std::make_unique<ThreadPoolExecutor>(
        ThreadPoolOptions{.max_workers = 1, .thread_name_prefix = "unique"}));
    EXPECT_EQ(co_await to_thread(thread_name), "unique-0");
    loop.set_default_executor(nullptr);
    EXPECT_TRUE((co_await to_thread(thread_name)).starts_with("coil-thread-"));
    loop.set_default_executor(other);
    loop.set_default_executor(std::shared_ptr<Executor>());
    EXPECT_TRUE((co_await to_thread(thread_name)).starts_with("coil-thread-"));
    EXPECT_EQ(co_await run_in_executor(other.get(), thread_name), "other-0");
  });
}

TEST(default_executor, that_was_replaced_ends_what_it_has) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    Loop& loop = get_running_loop();
    std::latch inside(1);
    std::latch go(1);
    auto call = run_in_executor([&] {
      inside.count_down();
      go.wait();
      return 5;
    });
    co_await kit::until([&] { return inside.try_wait(); });
    loop.set_default_executor(
        std::make_shared<ThreadPoolExecutor>(ThreadPoolOptions{.max_workers = 1}));
    loop.set_default_executor(nullptr);
    go.count_down();
    EXPECT_EQ(co_await call, 5);
  });
}

TEST(default_executor, goes_with_the_runner_after_its_calls) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  std::weak_ptr<Executor> left;
  std::atomic<bool> ended = false;
  run([&]() -> Coro<> {
    auto pool = std::make_shared<ThreadPoolExecutor>(ThreadPoolOptions{.max_workers = 1});
    left = pool;
    get_running_loop().set_default_executor(pool);
    (void)run_in_executor([&ended] {
      std::this_thread::sleep_for(5ms);
      ended = true;
    });
    co_return;
  });
  EXPECT_TRUE(ended);
  EXPECT_TRUE(left.expired());
}

TEST(default_executor, that_is_shut_down_waits_for_its_calls_and_takes_no_more) {
  on_loops([]() -> Coro<> {
    Loop& loop = get_running_loop();
    std::atomic<bool> ended = false;
    auto call = run_in_executor([&ended] { ended = true; });
    co_await loop.shutdown_default_executor();
    EXPECT_TRUE(ended);
    EXPECT_TRUE(call.done());
    EXPECT_THROW(run_in_executor([] {}), std::runtime_error);
    EXPECT_EQ(co_await kit::thrown_by<std::runtime_error>(to_thread([] {})),
              "Executor shutdown has been called");
    loop.set_default_executor(std::make_shared<ThreadPoolExecutor>());
    EXPECT_THROW(run_in_executor([] {}), std::runtime_error) << "as in asyncio";
    co_await loop.shutdown_default_executor(1s);
  });
}

TEST(default_executor, that_refuses_a_call_is_heard_by_who_awaits_it) {
  on_loops([]() -> Coro<> {
    const auto pool = std::make_shared<ThreadPoolExecutor>();
    get_running_loop().set_default_executor(pool);
    co_await pool->shutdown();
    EXPECT_EQ(co_await kit::thrown_by<std::runtime_error>(to_thread([] {})),
              "submit: cannot schedule new futures after shutdown");
    EXPECT_THROW(run_in_executor([] {}), std::runtime_error);
  });
}

TEST(default_executor, may_be_shut_down_when_there_is_none) {
  on_loops([]() -> Coro<> {
    co_await get_running_loop().shutdown_default_executor(0ms);
    EXPECT_THROW(run_in_executor([] {}), std::runtime_error);
  });
}

TEST(default_executor, that_does_not_end_in_time_is_reported_and_left) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    kit::Reports reports;
    std::latch go(1);
    auto call = run_in_executor([&go] { go.wait(); });
    co_await get_running_loop().shutdown_default_executor(1ms);
    EXPECT_FALSE(call.done());
    EXPECT_EQ(reports.count("The executor did not finish its calls within 0.001"), 1)
        << reports.text();
    go.count_down();
    co_await call;
  });
}

TEST(default_executor, may_be_waited_for_by_several_of_whom_one_gives_up) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    std::latch go(1);
    auto call = run_in_executor([&go] { go.wait(); });
    auto first = create_task(get_running_loop().shutdown_default_executor());
    auto second = create_task(get_running_loop().shutdown_default_executor());
    co_await sleep(1ms);
    first.cancel();
    (void)co_await kit::thrown_by<CancelledError>(first);
    EXPECT_FALSE(second.done());
    go.count_down();
    co_await second;
    EXPECT_TRUE(call.done());
  });
}

TEST(default_executor, is_there_for_loops_that_are_driven_by_hand) {
  const kit::Watchdog watchdog;
  const auto loop = new_event_loop();
  EXPECT_EQ(loop->run_until_complete(to_thread([] { return 4; })), 4);
  loop->set_default_executor(std::make_shared<ThreadPoolExecutor>(
      ThreadPoolOptions{.max_workers = 1, .thread_name_prefix = "hand"}));
  if (!kit::simulated()) {
    EXPECT_EQ(loop->run_until_complete(to_thread(thread_name)), "hand-0");
  }
  loop->run_until_complete(loop->shutdown_default_executor());
  loop->close();
  EXPECT_THROW(loop->set_default_executor(nullptr), LoopClosed);
}

}  // namespace
