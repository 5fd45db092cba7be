// What comes while a Runner closes, and what closes one that it does not belong to.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/future.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

using namespace coil;
using namespace std::chrono_literals;

namespace {

// Calls itself for ever, so that close() drops it at last, with what it holds.
struct Chain {
  std::shared_ptr<Promise<int>> promise;
  void operator()() { get_running_loop().call_soon(Chain{std::move(promise)}); }
};

Coro<> hold(std::shared_ptr<int>) { co_await sleep(1h); }

TEST(runner_close, refuses_the_task_that_nobody_would_await) {
  for (const int loops : {1, 2}) {
    SCOPED_TRACE(loops);
    const kit::Watchdog watchdog;
    auto held = std::make_shared<int>(0);
    bool refused = false;
    Future<int> future;
    {
      Runner runner({.loops = loops});
      runner.run([&]() -> Coro<> {
        auto promise = std::make_shared<Promise<int>>();
        future = promise->get_future();
        future.add_done_callback([&](const Future<int>& broken) {
          (void)broken.exception();
          Loop& other = *runner.loops().back();
          EXPECT_THROW((void)other.create_task(hold(held)), LoopClosed);
          try {
            (void)create_task(hold(held));
          } catch (const LoopClosed&) {
            refused = true;
          }
        });
        get_running_loop().call_soon(Chain{std::move(promise)});
        co_return;
      });
      runner.close();
      EXPECT_EQ(runner.metrics().tasks, 0U);
    }
    EXPECT_TRUE(refused);
    EXPECT_EQ(held.use_count(), 1);
  }
}

struct Again {
  std::optional<Future<int>> future;
  void operator()(const Future<int>& done) const { done.add_done_callback(Again{}); }
};

TEST(runner_close, ends_a_done_callback_that_adds_itself_again) {
  for (const int loops : {1, 2}) {
    const kit::Watchdog watchdog;
    testing::internal::CaptureStderr();  // the last one is told that the loop is closed
    {
      Runner runner({.loops = loops});
      runner.run([]() -> Coro<> {
        auto future = create_future<int>();
        future.set_result(1);
        future.add_done_callback(Again{});
        co_return;
      });
    }
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find("closed"), std::string::npos) << text;
  }
}

// The number of a thread may be that of one that has ended; its loop 0 is not its own for that.
TEST(runner, is_not_run_by_a_thread_that_looks_like_the_first_one) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  Runner runner({.loops = 1});
  std::thread([&] { runner.run([]() -> Coro<> { co_await sleep(1ms); }); }).join();
  for (int i = 0; i < 4; ++i)
    std::thread([&] {
      EXPECT_THROW(runner.run([]() -> Coro<> { co_await sleep(1ms); }), std::runtime_error);
    }).join();
}

TEST(runner_close, on_another_thread_sees_a_task_that_the_only_loop_has_not_taken_over) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  std::unique_ptr<Runner> runner;
  Future<> left;
  std::atomic<int> step{0};
  std::thread owner([&] {
    runner = std::make_unique<Runner>(RunOptions{.loops = 1});
    runner->run([]() -> Coro<> { co_return; });
    step = 1;
    while (step != 2) std::this_thread::yield();
    runner->close();
    runner.reset();
  });
  while (step != 1) std::this_thread::yield();
  left = run_coroutine_threadsafe(sleep(1h), runner->get_loop());
  EXPECT_THROW(runner->close(), std::runtime_error);
  // It was refused, so nothing has changed.
  auto second = run_coroutine_threadsafe(sleep(1h), runner->get_loop());
  step = 2;
  owner.join();
  EXPECT_TRUE(left.cancelled());
  EXPECT_TRUE(second.cancelled());
}

TEST(runner, that_cannot_be_closed_is_left_and_says_so) {
  KIT_USES_THREADS();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        auto runner = std::make_unique<Runner>(RunOptions{.loops = 2});
        std::thread([&] { runner->run([]() -> Coro<> { co_return; }); }).join();
        auto task = runner->loops()[1]->create_task(sleep(1h));
        runner.reset();
        std::_Exit(3);
      },
      ::testing::ExitedWithCode(3), "cannot be closed.*[\\s\\S]*tasks are left");
}

}  // namespace
