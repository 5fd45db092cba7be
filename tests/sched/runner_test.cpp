// Runner: what run() gives and throws, what it leaves behind, and running again.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <coil/future.hpp>
#include <coil/run.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

TEST(runner, gives_what_the_main_coroutine_returns) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2});
  EXPECT_EQ(runner.run([]() -> Coro<int> { co_return 7; }()), 7);
  EXPECT_EQ(runner.run([](int a, int b) -> Coro<int> { co_return a* b; }, 6, 7), 42);
  const auto text = runner.run([]() -> Coro<std::unique_ptr<std::string>> {
    co_await sleep(1ms);
    co_return std::make_unique<std::string>("moved");
  }());
  EXPECT_EQ(*text, "moved");
  EXPECT_EQ(runner.run([]() -> Coro<int> { co_return co_await sleep(1ms, 5); }), 5);
}

TEST(runner, starts_the_main_task_on_loop_0_every_time) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 4});
  for (int i = 0; i < 50; ++i) {
    const unsigned index =
        runner.run([]() -> Coro<unsigned> { co_return get_running_loop().index(); });
    ASSERT_EQ(index, 0U);
  }
}

TEST(runner, runs_again_after_a_failure) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 3});
  for (int i = 0; i < 20; ++i) {
    EXPECT_THROW(runner.run([]() -> Coro<> {
      for (int n = 0; n < 10; ++n) create_task([]() -> Coro<> { co_await sleep(1h); });
      co_await sleep(0ms);
      throw std::runtime_error("x");
    }()),
                 std::runtime_error);
    const std::size_t tasks =
        runner.run([]() -> Coro<std::size_t> { co_return all_tasks().size(); });
    const std::size_t left = 10 * (static_cast<std::size_t>(i) + 1);
    ASSERT_EQ(tasks, 1 + left) << "as asyncio.Runner, it leaves tasks to the next run or to close";
    ASSERT_EQ(runner.metrics().tasks, left);
  }
}

TEST(runner, leaves_tasks_to_the_next_run) {
  for (const int loops : {1, 2}) {
    const kit::Watchdog watchdog;
    Runner runner({.loops = loops});
    Task<int> left;
    runner.run([&]() -> Coro<> {
      left = create_task([]() -> Coro<int> { co_return co_await sleep(3ms, 7); },
                         {.affinity = Affinity::loop});
      co_return;
    });
    EXPECT_EQ(runner.run([&]() -> Coro<int> { co_return co_await left; }), 7);
  }
}

TEST(runner, keeps_the_type_of_what_the_main_coroutine_throws) {
  struct NoStandardException {
    int code;
  };
  const auto fail = []() -> Coro<> {
    co_await sleep(0ms);
    throw NoStandardException{9};
  };
  try {
    run(fail());
    FAIL() << "did not throw";
  } catch (const NoStandardException& error) {
    EXPECT_EQ(error.code, 9);
  }
}

TEST(runner, throws_the_cancellation_of_a_main_task_that_was_cancelled) {
  try {
    run([]() -> Coro<> {
      current_task().cancel("enough");
      co_await sleep(1h);
    }());
    FAIL() << "did not throw";
  } catch (const CancelledError& error) {
    EXPECT_STREQ(error.what(), "enough");
  }
}

TEST(runner, refuses_to_run_inside_a_running_loop) {
  kit::on_loops([]() -> Coro<> {
    const auto refused = [](auto call) {
      try {
        call();
        ADD_FAILURE() << "accepted";
      } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("running event loop"), std::string::npos)
            << error.what();
      }
    };
    refused([] { run([]() -> Coro<> { co_return; }()); });
    Runner inner({.loops = 1});
    refused([&] { inner.run([]() -> Coro<> { co_return; }()); });
    co_await kit::yield();
    get_running_loop().call_soon(
        [&, refused] { refused([&] { inner.run([]() -> Coro<> { co_return; }()); }); });
    co_await sleep(1ms);
  });
}

TEST(runner, refuses_to_close_while_it_runs) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2});
  runner.run([&]() -> Coro<> {
    EXPECT_THROW(runner.close(), std::runtime_error);
    auto other = runner.loops()[1]->create_task([&]() -> Coro<> {
      EXPECT_THROW(runner.close(), std::runtime_error);
      co_return;
    });
    co_await other;
  });
}

TEST(runner, refuses_to_run_after_close) {
  Runner runner({.loops = 2});
  runner.close();
  runner.close();
  EXPECT_THROW(runner.run([]() -> Coro<> { co_return; }()), LoopClosed);
  EXPECT_THROW(runner.get_loop().create_task([]() -> Coro<> { co_return; }), LoopClosed);
  EXPECT_THROW(runner.loops()[1]->call_soon_threadsafe([] {}), LoopClosed);
}

TEST(run, cancels_and_awaits_the_tasks_that_are_left) {
  for (const int loops : {1, 2, 4}) {
    SCOPED_TRACE(loops);
    const kit::Watchdog watchdog;
    std::vector<std::string> log(64);
    const auto main = [&]() -> Coro<> {
      for (std::size_t i = 0; i < log.size(); ++i) {
        create_task([&log, i]() -> Coro<> {
          try {
            co_await sleep(1h);
          } catch (const CancelledError&) {
            log[i] += "cancelled ";
          }
          co_await sleep(1ms);  // cleaning up takes its time
          log[i] += "cleaned up";
        });
      }
      co_await sleep(1ms);
    };
    run(main(), {.loops = loops});
    for (const auto& text : log) EXPECT_EQ(text, "cancelled cleaned up");
    log.assign(64, "");
    Runner runner({.loops = loops});
    runner.run(main());
    for (const auto& text : log) EXPECT_EQ(text, "");
    runner.close();
    for (const auto& text : log) EXPECT_EQ(text, "cancelled cleaned up");
  }
}

TEST(runner_close, reports_the_failures_of_the_tasks_that_are_left) {
  std::vector<std::string> messages;
  Runner runner({.loops = 1});
  runner.run([&]() -> Coro<> {
    get_running_loop().set_exception_handler([&](const ExceptionContext& context) {
      messages.push_back(context.message + "|" + detail::describe(context.exception) + "|" +
                         (context.task ? context.task.name() : ""));
    });
    create_task(
        []() -> Coro<> {
          try {
            co_await sleep(1h);
          } catch (const CancelledError&) {
            throw std::runtime_error("while cleaning up");
          }
        },
        {.name = "messy"});
    co_await kit::yield();
  });
  runner.close();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0],
            "unhandled exception during coil::run() shutdown|std::runtime_error: while cleaning "
            "up|messy");
}

TEST(run, cancels_the_tasks_that_cancelled_tasks_make) {
  for (const int loops : {1, 3}) {
    const kit::Watchdog watchdog;
    int steps = 0;
    struct Spawner {
      // Each one that is cancelled leaves another behind, which runs before it is cancelled itself.
      static Coro<> spawn(int depth, int& steps) {
        ++steps;
        try {
          co_await sleep(1h);
        } catch (const CancelledError&) {
          if (depth > 0) create_task(spawn(depth - 1, steps), {.eager = true});
        }
        ++steps;
      }
    };
    run(
        [&]() -> Coro<> {
          create_task(Spawner::spawn(10, steps), {.eager = true});
          co_await kit::yield();
        },
        {.loops = loops});
    EXPECT_EQ(steps, 22);
  }
}

TEST(runner, awaits_left_tasks_that_wait_for_each_other) {
  kit::on_loops([]() -> Coro<> {
    auto gate = create_future<>();
    auto last = create_task([gate]() -> Coro<> {
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
      }
      gate.try_set_result();
    });
    for (int i = 0; i < 8; ++i) {
      create_task([gate, last]() -> Coro<> {
        try {
          co_await sleep(1h);
        } catch (const CancelledError&) {
        }
        co_await gate;  // opened by another task that is being cancelled
      });
    }
    co_await sleep(1ms);
  });
}

TEST(runner, shows_every_live_task_of_every_loop) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 3});
  runner.run([&]() -> Coro<> {
    std::vector<TaskRef> made;
    for (Loop* loop : runner.loops())
      for (int i = 0; i < 5; ++i)
        made.push_back(loop->create_task([]() -> Coro<> { co_await sleep_forever(); }));
    const auto seen = all_tasks();
    EXPECT_EQ(seen.size(), made.size() + 1);
    for (const auto& task : made) EXPECT_NE(std::find(seen.begin(), seen.end(), task), seen.end());
    EXPECT_EQ(runner.metrics().tasks, made.size() + 1);
    EXPECT_EQ(runner.metrics().loops.size(), 3U);
    co_return;
  });
}

}  // namespace
