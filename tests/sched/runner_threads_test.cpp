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

// The woken task ends, the Runner goes: the thread that woke it must not touch a loop any more.
TEST(runner_threads, may_still_be_waking_a_loop_when_its_runner_goes) {
  KIT_USES_THREADS();
  for (int round = 0; round < 150; ++round) {
    const kit::Watchdog watchdog;
    std::thread thread;
    {
      Runner runner({.loops = 1 + round % 2});
      runner.run([&]() -> Coro<> {
        auto future = create_future<>();
        Loop& loop = get_running_loop();
        thread = std::thread([future, &loop, round] {
          if (round % 3 == 0) {
            loop.call_soon_threadsafe([future] { future.set_result(); });
          } else {
            future.set_result();
          }
        });
        co_await future;
      });
    }
    thread.join();
  }
}

// A future may outlive the Runner on whose loop somebody wanted to hear of it.
TEST(runner_threads, may_complete_futures_after_the_runner_has_gone) {
  std::vector<Future<int>> futures;
  std::atomic<int> called{0};
  for (const int loops : {1, 2}) {
    Runner runner({.loops = loops});
    runner.run([&]() -> Coro<> {
      for (int i = 0; i < 4; ++i) {
        futures.push_back(create_future<int>());
        futures.back().add_done_callback([&](const Future<int>&) { ++called; });
      }
      co_return;
    });
  }
  for (const auto& future : futures) future.set_result(1);
  EXPECT_LE(called, 8);
}

// From before close() to after it: each post is refused, or run.
TEST(runner_threads, have_their_callbacks_run_at_the_latest_in_close) {
  KIT_USES_THREADS();
  for (int round = 0; round < 20; ++round) {
    const kit::Watchdog watchdog;
    std::atomic<int> accepted{0};
    std::atomic<int> ran{0};
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    Runner runner({.loops = 1 + round % 3});
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        Loop& loop = t == 0 ? *runner.loops().front() : *runner.loops().back();
        try {
          for (;;) {
            loop.call_soon_threadsafe([&] {
              ran.fetch_add(1);
              // What callbacks schedule counts as well.
              accepted.fetch_add(1);
              get_running_loop().call_soon([&] { ran.fetch_add(1); });
            });
            accepted.fetch_add(1);
            ready = 1;
            if (accepted % 64 == 0) std::this_thread::yield();
          }
        } catch (const LoopClosed&) {
        }
      });
    }
    while (ready == 0) std::this_thread::yield();
    if (round % 2 == 0) runner.run([]() -> Coro<> { co_await kit::yield(); });
    runner.close();
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(accepted, ran);
  }
}

struct Frames {
  std::atomic<int> made{0};
  std::atomic<int> gone{0};
};
struct InFrame {
  explicit InFrame(Frames& f) : frames(&f) { frames->made.fetch_add(1); }
  InFrame(const InFrame&) = delete;
  InFrame& operator=(const InFrame&) = delete;
  ~InFrame() { frames->gone.fetch_add(1); }
  Frames* frames;
};

Coro<int> wait_long(std::shared_ptr<InFrame>) {
  co_await sleep(1h);
  co_return 1;
}

TEST(runner_threads, have_tasks_that_came_after_run_ended_by_close) {
  for (const int loops : {1, 2, 3}) {
    SCOPED_TRACE(loops);
    const kit::Watchdog watchdog;
    Frames frames;
    std::vector<Future<int>> futures;
    {
      Runner runner({.loops = loops});
      runner.run([]() -> Coro<> { co_await kit::yield(); });
      for (Loop* loop : runner.loops())
        for (int i = 0; i < 20; ++i)
          futures.push_back(
              run_coroutine_threadsafe(wait_long(std::make_shared<InFrame>(frames)), *loop));
    }
    for (const auto& future : futures) {
      ASSERT_TRUE(future.done()) << "whoever waits for it would wait for ever";
      EXPECT_TRUE(future.cancelled());
    }
    EXPECT_EQ(frames.made, frames.gone);
  }
}

// Threads that make tasks while the Runner closes: LoopClosed, or a task that ends.
TEST(runner_threads, are_refused_or_served_while_close_is_under_way) {
  KIT_USES_THREADS();
  for (int round = 0; round < 40; ++round) {
    const kit::Watchdog watchdog;
    Frames frames;
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    {
      Runner runner({.loops = 1 + round % 3});
      for (int t = 0; t < 2; ++t) {
        threads.emplace_back([&, t] {
          Loop& loop = t == 0 ? *runner.loops().front() : *runner.loops().back();
          std::vector<Future<int>> futures;
          try {
            for (;;) {
              futures.push_back(
                  run_coroutine_threadsafe(wait_long(std::make_shared<InFrame>(frames)), loop));
              ready = 1;
              if (futures.size() == 200) std::this_thread::sleep_for(20us);
            }
          } catch (const LoopClosed&) {
          }
          for (const auto& future : futures) EXPECT_THROW((void)future.get(), CancelledError);
        });
      }
      while (ready == 0) std::this_thread::yield();
      runner.close();
      for (auto& thread : threads) thread.join();
    }
    EXPECT_EQ(frames.made, frames.gone);
  }
}

// A callback that close() runs may make tasks: they are cancelled and awaited too.
TEST(runner_threads, have_tasks_ended_that_their_last_callbacks_make) {
  for (const int loops : {1, 2}) {
    const kit::Watchdog watchdog;
    Frames frames;
    std::string log;
    {
      Runner runner({.loops = loops});
      runner.loops().back()->call_soon_threadsafe([&] {
        get_running_loop().create_task([&]() -> Coro<> {
          const InFrame in_frame(frames);
          try {
            co_await sleep(1h);
          } catch (const CancelledError&) {
            log += "cancelled ";
          }
          co_await sleep(0ms);
          log += "ended";
        });
      });
      if (loops > 1 && !kit::simulated())  // loop 0 only runs in run() and in close()
        while (frames.made == 0) std::this_thread::yield();
    }
    EXPECT_EQ(frames.made, frames.gone);
    if (frames.made != 0) EXPECT_EQ(log, "cancelled ended");
  }
}

}  // namespace
