// Debug mode: who holds a loop for long, who calls a loop from the wrong thread.
#include <gtest/gtest.h>

#include <coil/loop.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <string>
#include <thread>

using namespace coil;
using namespace std::chrono_literals;

namespace {

void hold_the_loop(Duration time) {
  const auto end = Clock::now() + time;
  while (Clock::now() < end) {
  }
}

Coro<> holds_inside(Duration time) {
  co_await sleep(0ms);
  hold_the_loop(time);
  co_await sleep(0ms);
}
Coro<> holds(Duration time) { co_await holds_inside(time); }

// On a busy machine other steps may be slow as well.
TEST(slow_callbacks, are_reported_with_the_task_and_its_stack) {
  kit::on_one_loop(
      []() -> Coro<> {
        const kit::Reports reports;
        get_running_loop().set_slow_callback_duration(5ms);
        co_await create_task(holds(20ms), {.name = "hog"});
        EXPECT_GE(reports.count("Executing task 'hog' took 0."), 1) << reports.text();
        get_running_loop().call_soon([] { hold_the_loop(20ms); });
        co_await kit::yield(2);
        EXPECT_GE(reports.count("Executing a callback took"), 1) << reports.text();
        bool seen = false;
        for (const auto& report : reports.all()) {
          if (!report.task || report.task.name() != "hog" || report.stack.size() != 2) continue;
          EXPECT_TRUE(report.stack.at(0).function.ends_with("::holds"));
          EXPECT_TRUE(report.stack.at(1).function.ends_with("::holds_inside"));
          seen = true;
        }
        EXPECT_TRUE(seen) << "the stack is missing";
      },
      {.debug = true});
}

TEST(slow_callbacks, are_those_above_a_limit_that_the_runner_has) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2, .debug = true});
  runner.run([&]() -> Coro<> {
    const kit::Reports reports;
    EXPECT_EQ(get_running_loop().slow_callback_duration(), 100ms);
    runner.loops()[1]->slow_callback_duration(1h);
    EXPECT_EQ(runner.loops()[0]->slow_callback_duration(), 1h);
    co_await create_task(holds(150ms));
    EXPECT_EQ(reports.count("took"), 0) << reports.text();
  });
}

TEST(debug_mode, is_switched_on_and_off_for_the_whole_runner) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2});
  runner.run([&]() -> Coro<> {
    const kit::Reports reports;
    const auto drop = [] { auto dropped = holds(0ms); };
    EXPECT_FALSE(get_running_loop().get_debug());
    drop();
    EXPECT_TRUE(reports.empty());
    runner.loops()[1]->set_debug(true);
    EXPECT_TRUE(runner.loops()[0]->get_debug());
    drop();
    EXPECT_EQ(reports.count("coroutine '"), 1) << reports.text();
    EXPECT_EQ(reports.all().at(0).task, current_task()) << "who dropped it";
    EXPECT_FALSE(reports.all().at(0).stack.empty());
    get_running_loop().set_debug(false);
    drop();
    EXPECT_EQ(reports.all().size(), 1U);
    co_return;
  });
}

TEST(debug_mode, is_not_needed_to_refuse_calls_from_a_wrong_thread) {
  KIT_USES_THREADS();
  for (const bool debug : {false, true}) {
    kit::on_one_loop(
        []() -> Coro<> {
          Loop& loop = get_running_loop();
          std::string soon;
          std::string later;
          std::thread other([&] {
            try {
              loop.call_soon([] {});
            } catch (const std::runtime_error& error) {
              soon = error.what();
            }
            try {
              loop.call_later(1ms, [] {});
            } catch (const std::runtime_error& error) {
              later = error.what();
            }
          });
          other.join();
          for (const auto& text : {soon, later})
            EXPECT_NE(text.find("Non-thread-safe operation invoked on an event loop other than the "
                                "current one"),
                      std::string::npos)
                << text;
          EXPECT_NE(soon.find("call_soon_threadsafe"), std::string::npos) << soon;
          co_return;
        },
        {.debug = debug});
  }
}

TEST(debug_mode, refuses_calls_of_another_runners_loop_and_of_a_closed_one) {
  const kit::Watchdog watchdog;
  Runner other({.loops = 1});
  kit::on_one_loop([&]() -> Coro<> {
    EXPECT_THROW(other.get_loop().call_soon([] {}), std::runtime_error);
    co_return;
  });
  other.close();
  EXPECT_THROW(other.get_loop().call_soon([] {}), LoopClosed);
}

}  // namespace
