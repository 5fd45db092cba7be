// Runner::close: what was accepted is run, what is left is ended, and what comes later is refused.
#include <gtest/gtest.h>

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

// The woken task ends, the Runner goes: the thread that woke it must not touch a loop any more.
TEST(runner_close, waits_for_threads_that_still_wake_a_loop) {
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

// Somebody on a loop that has gone wanted to hear of them.
TEST(runner_close, lets_futures_outlive_the_runner) {
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
TEST(runner_close, runs_what_threads_have_posted) {
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

// Loop 0 and its ring belong to the thread that ran it first.
TEST(runner_close, is_for_every_thread_if_nothing_is_left_and_run_is_not) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  for (const bool tasks_left : {false, true}) {
    auto runner = std::make_unique<Runner>(RunOptions{.loops = 2});
    std::thread([&] { runner->run([]() -> Coro<> { co_await kit::yield(); }); }).join();
    try {
      runner->run([]() -> Coro<> { co_return; });
      ADD_FAILURE() << "ran";
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find("thread"), std::string::npos) << error.what();
    }
    if (tasks_left) {
      auto task = runner->loops()[1]->create_task([]() -> Coro<> { co_await sleep(20ms); });
      EXPECT_THROW(runner->close(), std::runtime_error);
      task.get();
      while (runner->metrics().tasks != 0) std::this_thread::yield();
    }
    runner->close();
    EXPECT_TRUE(runner->get_loop().is_closed());
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

TEST(runner_close, ends_the_tasks_that_came_after_run) {
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
TEST(runner_close, refuses_or_ends_the_tasks_that_come_while_it_is_under_way) {
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
TEST(runner_close, ends_the_tasks_that_the_last_callbacks_make) {
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
