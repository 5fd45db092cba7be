// A Runner and threads that are none of its loops: what they post is run or cancelled, never lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <coil/future.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <kit/loops.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

TEST(runner_threads, get_the_results_of_the_coroutines_they_submit) {
  KIT_USES_THREADS();
  for (const int loops : {1, 3}) {
    const kit::Watchdog watchdog;
    Runner runner({.loops = loops});
    runner.run([&]() -> Coro<> {
      std::atomic<int> over{0};
      std::vector<std::thread> threads;
      for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
          for (int i = 0; i < 300; ++i) {
            Loop& loop = *runner.loops()[static_cast<std::size_t>(i) % runner.loops().size()];
            Future<int> future = run_coroutine_threadsafe(
                [](int a, int b) -> Coro<int> {
                  if (b % 3 == 0) co_await sleep(1us);
                  co_return a * 1'000 + b;
                }(t, i),
                loop);
            ASSERT_EQ(future.get(), t * 1'000 + i);
          }
          ++over;
        });
      }
      co_await kit::until([&] { return over == 3; });
      for (auto& thread : threads) thread.join();
    });
  }
}

TEST(runner_threads, get_the_exceptions_and_cancellations_of_what_they_submit) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2});
  runner.run([&]() -> Coro<> {
    std::atomic<bool> over{false};
    std::thread thread([&] {
      const auto failing = run_coroutine_threadsafe(
          []() -> Coro<int> {
            co_await kit::yield();
            throw std::out_of_range("kept");
          }(),
          *runner.loops()[1]);
      EXPECT_THROW((void)failing.get(), std::out_of_range);
      const auto endless = run_coroutine_threadsafe([]() -> Coro<> { co_await sleep_forever(); }(),
                                                    *runner.loops()[0]);
      EXPECT_FALSE(endless.wait_for(1ms));
      EXPECT_TRUE(endless.cancel());
      EXPECT_THROW(endless.get(), CancelledError);
      over = true;
    });
    co_await kit::until([&] { return over.load(); });
    thread.join();
  });
}

TEST(runner_threads, complete_futures_that_tasks_wait_for) {
  KIT_USES_THREADS();
  kit::on_loops([]() -> Coro<> {
    for (int round = 0; round < 200; ++round) {
      auto future = create_future<int>();
      std::thread thread([future, round] {
        if (round % 2 == 0) std::this_thread::sleep_for(50us);
        future.set_result(round);
      });
      EXPECT_EQ(co_await future, round);
      thread.join();
    }
  });
}

TEST(runner_threads, post_in_order_while_the_loop_sleeps) {
  KIT_USES_THREADS();
  for (const int loops : {1, 2}) {
    const kit::Watchdog watchdog;
    Runner runner({.loops = loops});
    runner.run([&]() -> Coro<> {
      constexpr int count = 3'000;
      constexpr std::size_t thread_count = 3;
      Loop& loop = *runner.loops().back();
      auto done = create_future<>();
      std::vector<std::vector<int>> seen(thread_count);  // on `loop` only
      std::size_t finished = 0;
      std::vector<std::thread> threads;
      for (std::size_t t = 0; t < thread_count; ++t) {
        threads.emplace_back([&, t] {
          for (int i = 0; i < count; ++i) {
            loop.call_soon_threadsafe([&, t, i] { seen[t].push_back(i); });
            if (i % 256 == 0) std::this_thread::sleep_for(100us);  // it goes to sleep
          }
          loop.call_soon_threadsafe([&] {
            if (++finished == thread_count) done.set_result();
          });
        });
      }
      co_await done;
      for (auto& thread : threads) thread.join();
      for (const auto& list : seen) {
        EXPECT_EQ(list.size(), static_cast<std::size_t>(count));
        EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
      }
    });
  }
}

TEST(runner_threads, cancel_handles_while_the_loop_runs_them) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  Runner runner({.loops = 1});
  runner.run([&]() -> Coro<> {
    constexpr std::size_t count = 5'000;
    std::vector<std::atomic<int>> calls(count);
    std::vector<std::atomic<int>> cancels(count);
    std::atomic<bool> over{false};
    Loop& loop = get_running_loop();
    std::thread thread([&] {
      for (std::size_t i = 0; i < count; ++i) {
        const Handle handle = loop.call_soon_threadsafe([&, i] { calls[i].fetch_add(1); });
        if (i % 64 == 0) std::this_thread::yield();
        if (handle.cancel()) cancels[i].fetch_add(1);
        EXPECT_FALSE(handle.cancel());
      }
      over = true;
    });
    co_await kit::until([&] { return over.load(); });
    thread.join();
    co_await sleep(1ms);
    int called = 0;
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(calls[i] + cancels[i], 1) << "callback " << i;
      called += calls[i];
    }
    EXPECT_GT(called, 0) << "the race was never lost: it shows nothing";
  });
}

}  // namespace
