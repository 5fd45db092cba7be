// Handle: cancelling callbacks before they run, as they run, and after everything has gone.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <coil/loop.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <kit/loops.hpp>
#include <memory>
#include <optional>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;
using kit::on_one_loop;

namespace {

TEST(handle, cancels_until_the_callback_has_started) {
  on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    int calls = 0;
    const Handle soon = loop.call_soon([&] { ++calls; });
    const Handle later = loop.call_later(1ms, [&] { ++calls; });
    EXPECT_EQ(soon.when(), TimePoint::min());
    EXPECT_FALSE(soon.cancelled());
    for (const Handle& handle : {soon, later}) {
      EXPECT_TRUE(handle.cancel());
      EXPECT_TRUE(handle.cancelled());
      EXPECT_FALSE(handle.cancel()) << "cancelled twice";
    }
    Handle own;
    std::optional<bool> from_inside;
    own = loop.call_soon([&] { from_inside = own.cancel(); });
    co_await sleep(3ms);
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(from_inside, false);
    EXPECT_FALSE(own.cancel());
    EXPECT_FALSE(own.cancelled());
    EXPECT_FALSE(Handle().cancel());
    EXPECT_FALSE(Handle().cancelled());
  });
}

TEST(handle, may_be_dropped_without_cancelling) {
  on_one_loop([]() -> Coro<> {
    int calls = 0;
    (void)get_running_loop().call_soon([&] { ++calls; });
    (void)get_running_loop().call_later(1ms, [&] { ++calls; });
    co_await sleep(3ms);
    EXPECT_EQ(calls, 2);
  });
}

TEST(handle, cancels_a_timer_that_is_due_and_has_not_been_called) {
  on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    bool called = false;
    Handle second;
    const TimePoint due = loop.time() + 1ms;
    bool cancelled = false;
    loop.call_at(due, [&] { cancelled = second.cancel(); });
    second = loop.call_at(due, [&] { called = true; });
    co_await sleep(3ms);
    EXPECT_TRUE(cancelled);
    EXPECT_FALSE(called);
  });
}

TEST(handle, lets_go_of_a_callback_that_has_run_or_was_cancelled) {
  on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    auto held = std::make_shared<int>(0);
    const Handle ran = loop.call_soon([held] {});
    const Handle cancelled = loop.call_soon([held] {});
    const Handle timer = loop.call_later(1h, [held] {});
    EXPECT_EQ(held.use_count(), 4);
    cancelled.cancel();
    timer.cancel();
    co_await kit::yield(2);
    EXPECT_EQ(held.use_count(), 1) << "ran and cancelled are done";
    EXPECT_FALSE(ran.cancelled());
  });
}

TEST(handle, may_outlive_its_loop) {
  std::vector<Handle> handles;
  {
    Runner runner({.loops = 2});
    runner.run([&]() -> Coro<> {
      Loop& loop = get_running_loop();
      handles.push_back(loop.call_soon([] {}));
      handles.push_back(loop.call_later(0s, [] {}));
      handles.push_back(loop.call_later(1h, [] {}));
      handles.push_back(runner.loops()[1]->call_later(1h, [] {}));
      co_await sleep(1ms);
    });
  }
  for (const Handle& handle : handles) {
    EXPECT_FALSE(handle.cancel());
    (void)handle.cancelled();
    (void)handle.when();
  }
}

TEST(handle, cancels_a_callback_of_another_loop) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2});
  runner.run([&]() -> Coro<> {
    Loop& other = *runner.loops()[1];
    std::atomic<int> calls{0};
    int cancelled = 0;
    constexpr int count = 200;
    for (int i = 0; i < count; ++i) {
      const Handle soon = other.call_soon([&] { ++calls; });
      const Handle later = other.call_at(other.time(), [&] { ++calls; });
      const Handle much_later = other.call_later(1h, [&] { ++calls; });
      cancelled += soon.cancel() + later.cancel();
      EXPECT_TRUE(much_later.cancel());
      EXPECT_FALSE(much_later.cancel());
      if (i % 16 == 0) co_await kit::yield();
    }
    co_await kit::until([&] { return calls + cancelled == 2 * count; });
    co_await sleep(1ms);
    EXPECT_EQ(calls + cancelled, 2 * count) << "cancelled and called";
    EXPECT_EQ(runner.metrics().loops[1].timers, 0U);
  });
}

}  // namespace
