// What a Handle's cancel lets go of, and when; and cancels that meet: two threads, a closing
// Runner.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <kit/loops.hpp>
#include <memory>
#include <thread>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

TEST(handle, lets_go_of_what_a_cancelled_timer_captured_at_once) {
  kit::on_one_loop([]() -> Coro<> {
    auto held = std::make_shared<int>(0);
    const Handle timer = get_running_loop().call_later(1h, [held] {});
    EXPECT_EQ(held.use_count(), 2);
    EXPECT_TRUE(timer.cancel());
    EXPECT_EQ(held.use_count(), 1);
    co_return;
  });
}

TEST(handle, may_be_captured_by_its_own_callback) {
  std::weak_ptr<Handle> seen;
  kit::on_one_loop([&]() -> Coro<> {
    auto handle = std::make_shared<Handle>();
    *handle = get_running_loop().call_later(1h, [handle] {});
    const Handle* last = handle.get();
    seen = handle;
    handle.reset();
    EXPECT_TRUE(last->cancel()) << "destroys the callback, and with it this very handle";
    EXPECT_TRUE(seen.expired());
    co_return;
  });
}

TEST(handle, that_two_threads_cancel_was_cancelled_by_one) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2});
  runner.run([&]() -> Coro<> {
    constexpr std::size_t count = 3'000;
    std::vector<Handle> handles;
    for (std::size_t i = 0; i < count; ++i) {
      Loop& loop = *runner.loops()[i % 2];
      handles.push_back(loop.call_later(1h, [] {}));
    }
    std::atomic<int> cancelled{0};
    std::atomic<int> ready{0};
    const auto cancel_all = [&] {
      ++ready;
      while (ready < 3) std::this_thread::yield();
      for (const Handle& handle : handles) cancelled += handle.cancel();
    };
    std::thread first(cancel_all);
    std::thread second(cancel_all);
    cancel_all();
    first.join();
    second.join();
    EXPECT_EQ(cancelled, count);
    // Those that were on their way to the other loop are dropped there.
    co_await kit::until([&] { return runner.metrics().loops[1].timers == 0; });
    EXPECT_EQ(runner.metrics().loops[0].timers, 0U);
  });
}

TEST(handle, is_cancelled_by_a_thread_while_the_runner_closes) {
  KIT_USES_THREADS();
  for (int round = 0; round < 100; ++round) {
    const kit::Watchdog watchdog;
    auto held = std::make_shared<int>(0);
    std::vector<Handle> handles;
    std::atomic<bool> go{false};
    std::thread thread;
    {
      Runner runner({.loops = 1});
      runner.run([&]() -> Coro<> {
        for (int i = 0; i < 1'000; ++i)
          handles.push_back(get_running_loop().call_later(1h, [held] {}));
        co_return;
      });
      thread = std::thread([&] {
        go = true;
        for (auto handle = handles.rbegin(); handle != handles.rend(); ++handle) handle->cancel();
      });
      while (!go) std::this_thread::yield();
      for (std::atomic<int> spin{0}; spin < round * 50; ++spin) {
      }
    }
    thread.join();
    EXPECT_EQ(held.use_count(), 1);
  }
}

// A timer for another loop travels there as a callback; one that is dropped on its way is released.
TEST(handle, of_a_timer_that_never_got_to_its_loop_lets_go) {
  std::weak_ptr<int> seen;
  bool called = false;
  Future<int> future;
  {
    Runner runner({.loops = 2});
    runner.run(runner.loops()[0]->create_task([&]() -> Coro<> {
      auto promise = std::make_shared<Promise<int>>();
      future = promise->get_future();
      future.add_done_callback([&](const Future<int>& f) {
        (void)f.exception();
        called = true;
        auto held = std::make_shared<int>(0);
        seen = held;
        try {
          runner.loops()[1]->call_later(1h, [held] {});
        } catch (const LoopClosed&) {
        }
      });
      // Callbacks that call one another for ever: the last is dropped by close(), and the promise.
      struct Chain {
        std::shared_ptr<Promise<int>> promise;
        void operator()() { get_running_loop().call_soon(Chain{std::move(promise)}); }
      };
      get_running_loop().call_soon(Chain{std::move(promise)});
      co_return;
    }));
  }
  EXPECT_TRUE(called);
  EXPECT_TRUE(seen.expired());
}

}  // namespace
