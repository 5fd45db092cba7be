// Cancelling what an executor has: what stands in line goes at once, what runs is left alone.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/coil.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
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
using kit::OwnError;

namespace {

TEST(executor_cancel, takes_a_call_that_waits_out_of_line_at_once) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 1}};
    Holding holding(pool, 1);
    co_await holding.held();
    bool ran = false;
    const auto held = std::make_shared<int>(0);
    auto task = create_task(
        [&]() -> Coro<> { co_await run_in_executor(&pool, [&ran, held] { ran = true; }); });
    co_await kit::until([&] { return held.use_count() > 1; });
    task.cancel("enough");
    EXPECT_EQ(co_await kit::thrown_by<CancelledError>(task), "enough");
    EXPECT_EQ(held.use_count(), 1) << "nothing of it waits for a thread";
    holding.let_go();
    co_await pool.shutdown();
    EXPECT_FALSE(ran);
  });
}

TEST(executor_cancel, leaves_a_function_that_runs_and_drops_its_result) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    kit::Reports reports;
    ThreadPoolExecutor pool{{.max_workers = 1}};
    const auto result = std::make_shared<int>(0);
    std::latch inside(1);
    std::latch go(1);
    std::atomic<bool> ended = false;
    auto future = run_in_executor(&pool, [&, held = result] {
      inside.count_down();
      go.wait();
      ended = true;
      return held;
    });
    co_await kit::until([&] { return inside.try_wait(); });
    EXPECT_TRUE(future.cancel());
    EXPECT_FALSE(future.cancel());
    EXPECT_EQ(co_await kit::thrown_by<CancelledError>(future), "");
    EXPECT_FALSE(ended);
    go.count_down();
    co_await pool.shutdown();
    EXPECT_TRUE(ended);
    EXPECT_EQ(result.use_count(), 1);
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

TEST(executor_cancel, reports_the_exception_of_a_function_that_ran_on) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    kit::Reports reports;
    ThreadPoolExecutor pool{{.max_workers = 2}};
    std::latch inside(2);
    std::latch go(1);
    auto fails = run_in_executor(&pool, [&] {
      inside.count_down();
      go.wait();
      throw OwnError("unheard", 1);
    });
    auto obeys = run_in_executor(&pool, [&] {
      inside.count_down();
      go.wait();
      throw CancelledError("noticed");
    });
    co_await kit::until([&] { return inside.try_wait(); });
    fails.cancel();
    obeys.cancel();
    go.count_down();
    co_await pool.shutdown();
    EXPECT_EQ(reports.count("ran on in an executor after its await was cancelled"), 1);
    EXPECT_EQ(reports.all().size(), 1U) << reports.text();
    EXPECT_NE(reports.text().find("unheard"), std::string::npos);
  });
}

TEST(executor_cancel, of_a_call_that_nobody_asks_about_is_no_error_and_its_failure_is) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    kit::Reports reports;
    ThreadPoolExecutor pool{{.max_workers = 1}};
    (void)run_in_executor(&pool, [] { throw OwnError("nobody asked", 1); });
    co_await pool.shutdown();
    co_await kit::until([&] { return !reports.empty(); });
    EXPECT_EQ(reports.count("Future exception was never retrieved"), 1) << reports.text();
  });
}

TEST(executor_cancel, comes_from_timeouts_and_scopes_too) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 1}};
    Holding holding(pool, 1);
    co_await holding.held();
    bool ran = false;
    const auto mark = [&ran] { ran = true; };
    EXPECT_THROW(co_await wait_for(run_in_executor(&pool, mark), 1ms), TimeoutError);
    const auto scoped =
        co_await move_on_after(1ms, [&]() -> Coro<> { co_await run_in_executor(&pool, mark); });
    EXPECT_TRUE(scoped.cancelled_caught());
    holding.let_go();
    co_await pool.shutdown();
    EXPECT_FALSE(ran);
  });
}

TEST(executor_cancel, may_come_from_any_thread_at_any_time) {
  const kit::Watchdog watchdog;
  ThreadPoolExecutor pool{{.max_workers = 2}};
  for (int round = 0; round < 2000; ++round) {
    const auto held = std::make_shared<int>(0);
    std::atomic<int> ran = 0;
    auto call = pool.submit([&ran, held] { ++ran; });
    std::thread canceller;
    if (round % 4 == 0) canceller = std::thread([call] { call.cancel(); });
    const bool cancelled = call.cancel();
    if (canceller.joinable()) canceller.join();
    call.wait_for(std::nullopt);
    if (cancelled) {
      EXPECT_TRUE(call.cancelled());
    }
    pool.submit([] {}).get();
    while (held.use_count() != 1) std::this_thread::yield();  // let go by whoever won
    EXPECT_LE(ran, 1);
  }
}

TEST(executor_cancel, of_a_call_whose_arguments_hold_its_future) {
  const kit::Watchdog watchdog;
  ThreadPoolExecutor pool{{.max_workers = 1}};
  for (int round = 0; round < 50; ++round) {
    Holding holding(pool, 1);
    holding.wait_until_held();
    const auto own = std::make_shared<Future<>>();
    *own = pool.submit([own] {});
    auto* const handle = own.get();  // goes with the arguments
    const std::weak_ptr<Future<>> alive = own;
    {
      auto keep = own;
      EXPECT_TRUE(handle->cancel());
    }
    holding.let_go();
    pool.submit([] {}).get();
  }
}

// As of run(): what was handed over with run_in_executor is awaited, with the loops running.
TEST(executor_cancel, leaves_a_function_that_run_waits_for) {
  KIT_USES_THREADS();
  for (const int loops : {1, 2}) {
    const kit::Watchdog watchdog;
    ThreadPoolExecutor pool{{.max_workers = 1}};
    std::atomic<bool> ended = false;
    run(
        [&]() -> Coro<> {
          std::latch inside(1);
          Loop& loop = get_running_loop();
          auto future = run_in_executor(&pool, [&] {
            inside.count_down();
            std::latch called(1);
            loop.call_soon_threadsafe([&called] { called.count_down(); });
            called.wait();
            ended = true;
          });
          co_await kit::until([&] { return inside.try_wait(); });
          future.cancel();
        },
        {.loops = loops});
    EXPECT_TRUE(ended);
  }
}

}  // namespace
