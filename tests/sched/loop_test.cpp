// Loop: callbacks, their order, their handles, and what happens to them on other loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <coil/loop.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <kit/loops.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;
using kit::on_one_loop;
using Log = std::vector<std::string>;

namespace {

Coro<> note(Log& log, std::string text) {
  log.push_back(std::move(text));
  co_return;
}

TEST(loop, runs_callbacks_and_tasks_in_the_order_in_which_they_came) {
  on_one_loop([]() -> Coro<> {
    Log log;
    Loop& loop = get_running_loop();
    loop.call_soon([&] { log.emplace_back("a"); });
    auto b = create_task(note(log, "b"));
    loop.call_soon([&] { log.emplace_back("c"); });
    auto d = create_task(note(log, "d"));
    loop.call_soon([&] { log.emplace_back("e"); });
    EXPECT_TRUE(log.empty()) << "call_soon called at once";
    co_await kit::yield();
    EXPECT_EQ(log, (Log{"a", "b", "c", "d", "e"}));
  });
}

TEST(loop, runs_what_a_callback_schedules_behind_what_is_ready) {
  on_one_loop([]() -> Coro<> {
    Log log;
    Loop& loop = get_running_loop();
    loop.call_soon([&] {
      log.emplace_back("first");
      loop.call_soon([&] { log.emplace_back("third"); });
    });
    loop.call_soon([&] { log.emplace_back("second"); });
    co_await kit::yield(2);
    EXPECT_EQ(log, (Log{"first", "second", "third"}));
  });
}

TEST(loop, runs_callbacks_outside_of_any_task_but_on_a_loop) {
  on_one_loop([]() -> Coro<> {
    EXPECT_TRUE(current_task());
    bool ran = false;
    get_running_loop().call_soon([&] {
      ran = true;
      EXPECT_FALSE(current_task());
      EXPECT_EQ(get_running_loop_or_null(), &get_running_loop());
    });
    co_await kit::yield();
    EXPECT_TRUE(ran);
  });
}

TEST(loop, calls_later_by_deadline_and_then_by_order_of_arming) {
  on_one_loop([]() -> Coro<> {
    Log log;
    Loop& loop = get_running_loop();
    const TimePoint base = loop.time() + 2ms;
    auto at = [&](Duration d, std::string text) {
      loop.call_at(base + d, [&log, text = std::move(text)] { log.push_back(text); });
    };
    at(3ms, "f");
    at(1ms, "b");
    at(0ms, "a");
    at(1ms, "c");
    at(2ms, "e");
    at(1ms, "d");
    co_await sleep_until(base + 4ms);
    EXPECT_EQ(log, (Log{"a", "b", "c", "d", "e", "f"}));
  });
}

TEST(loop, never_calls_early) {
  on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    const TimePoint due = loop.time() + 1'234'567ns;
    std::optional<TimePoint> called;
    const Handle handle = loop.call_at(due, [&] { called = loop.time(); });
    EXPECT_EQ(handle.when(), due);
    const TimePoint before = loop.time();
    const Handle later = loop.call_later(0.5ms, [] {});
    EXPECT_GE(later.when(), before + 500us);
    EXPECT_LE(later.when(), loop.time() + 500us);
    co_await sleep(4ms);
    EXPECT_GE(called.value_or(TimePoint::min()), due);
  });
}

TEST(loop, calls_what_is_overdue_soon_and_not_at_once) {
  on_one_loop([]() -> Coro<> {
    Log log;
    Loop& loop = get_running_loop();
    loop.call_at(TimePoint::min(), [&] { log.emplace_back("long ago"); });
    loop.call_later(-5s, [&] { log.emplace_back("negative"); });
    loop.call_later(0s, [&] { log.emplace_back("zero"); });
    EXPECT_TRUE(log.empty());
    co_await kit::until([&] { return log.size() == 3; });
    EXPECT_EQ(log, (Log{"long ago", "negative", "zero"}));
  });
}

TEST(loop, waits_for_ever_without_a_limit_and_refuses_nan) {
  on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    bool called = false;
    const Handle handle = loop.call_later(std::nullopt, [&] { called = true; });
    EXPECT_EQ(handle.when(), TimePoint::max());
    loop.call_later(std::chrono::hours::max(), [&] { called = true; });
    EXPECT_THROW(loop.call_later(std::chrono::duration<double>(NAN), [] {}), std::invalid_argument);
    co_await sleep(2ms);
    EXPECT_FALSE(called);
    EXPECT_TRUE(handle.cancel());
  });
}

// A timer that has come due stands in the queue behind what is ready: still time to cancel it.
TEST(loop, drops_timers_that_are_armed_when_the_runner_closes) {
  auto held = std::make_shared<int>(0);
  Handle kept;
  bool called = false;
  {
    Runner runner({.loops = 2});
    runner.run([&]() -> Coro<> {
      kept = get_running_loop().call_later(1h, [&called, held] { called = true; });
      get_running_loop().call_later(1h, [&called, held] { called = true; });
      runner.loops()[1]->call_later(1h, [&called, held] { called = true; });
      co_await kit::yield();
    });
    runner.close();
    EXPECT_FALSE(kept.cancel()) << "nothing is left to cancel";
  }
  kept = {};
  EXPECT_FALSE(called);
  EXPECT_EQ(held.use_count(), 1) << "what a timer captured leaked";
}

// As a poller does that asks again on every turn.
TEST(loop, closes_although_a_callback_schedules_itself_for_ever) {
  const kit::Watchdog watchdog;
  auto held = std::make_shared<int>(0);
  {
    Runner runner({.loops = 2});
    struct Again {
      Loop* loop;
      std::shared_ptr<int> held;
      void operator()() const { loop->call_soon(*this); }
    };
    runner.run([&]() -> Coro<> {
      for (Loop* loop : runner.loops()) loop->call_soon(Again{loop, held});
      co_await kit::yield(3);
    });
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(loop, runs_callbacks_on_the_loop_they_were_given_to) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 3});
  runner.run([&]() -> Coro<> {
    for (Loop* loop : runner.loops()) {
      std::vector<int> order;  // touched by that loop only, until the future is set
      auto done = create_future<>();
      auto on_loop = [loop] { EXPECT_EQ(&get_running_loop(), loop); };
      for (int i = 0; i < 100; ++i) {
        loop->call_soon([&order, on_loop, i] {
          on_loop();
          order.push_back(i);
        });
      }
      loop->call_later(1ms, [&, on_loop] {
        on_loop();
        done.set_result();
      });
      co_await done;
      EXPECT_EQ(order.size(), 100U);
      EXPECT_TRUE(std::is_sorted(order.begin(), order.end())) << "not in order";
    }
  });
}

TEST(loop, says_where_it_is_missing) {
  EXPECT_EQ(get_running_loop_or_null(), nullptr);
  EXPECT_THROW((void)get_running_loop(), NoRunningLoop);
  EXPECT_THROW((void)all_tasks(), NoRunningLoop);
  EXPECT_THROW((void)create_task([]() -> Coro<> { co_return; }), NoRunningLoop);
  EXPECT_FALSE(current_task());
  Runner runner({.loops = 2});
  EXPECT_THROW((void)get_running_loop(), NoRunningLoop) << "a Runner alone runs no loop here";
  try {
    (void)get_running_loop();
  } catch (const NoRunningLoop& error) {
    EXPECT_NE(std::string(error.what()).find("get_running_loop"), std::string::npos);
  }
}

TEST(loop, refuses_callbacks_from_outside_and_names_the_way_in) {
  Runner runner({.loops = 1});
  Loop& loop = runner.get_loop();
  auto refused = [](auto call) {
    try {
      call();
      ADD_FAILURE() << "accepted";
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find("call_soon_threadsafe"), std::string::npos)
          << error.what();
    }
  };
  refused([&] { loop.call_soon([] {}); });
  refused([&] { loop.call_later(1ms, [] {}); });
  refused([&] { loop.call_at(loop.time(), [] {}); });
}

TEST(loop, refuses_callbacks_from_a_loop_of_another_runner) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  Runner mine({.loops = 1});
  Runner other({.loops = 2});
  bool ran = false;
  mine.run([&]() -> Coro<> {
    EXPECT_THROW(other.loops()[1]->call_soon([] {}), std::runtime_error);
    auto done = create_future<>();
    other.loops()[1]->call_soon_threadsafe([&] {
      ran = true;
      done.set_result();
    });
    co_await done;
  });
  EXPECT_TRUE(ran);
}

TEST(loop, knows_its_number_its_clock_and_whether_it_is_closed) {
  Runner runner({.loops = 3, .debug = true});
  unsigned expected = 0;
  for (Loop* loop : runner.loops()) {
    EXPECT_EQ(loop->index(), expected++);
    EXPECT_FALSE(loop->is_closed());
    EXPECT_TRUE(loop->get_debug());
    const TimePoint t = loop->time();
    EXPECT_GE(loop->time(), t);
  }
  EXPECT_EQ(&runner.get_loop(), runner.loops().front());
  runner.close();
  EXPECT_TRUE(runner.get_loop().is_closed());
}

}  // namespace
