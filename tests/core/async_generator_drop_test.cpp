// AsyncGenerator: what becomes of one that is dropped before its end.
#include <atomic>
#include <coil/async_generator.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/context.hpp>
#include <coil/future.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/runner.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "async_generator_kit.hpp"

using namespace coil;
using kit::count_for_ever;
using kit::Log;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_text;
using namespace std::chrono_literals;

namespace {

TEST(async_generator_drop, dropped_in_the_middle_is_closed_by_the_loop) {
  on_loops([]() -> Coro<> {
    auto log = std::make_shared<Log>();
    {
      auto generator = count_for_ever(log);
      co_await generator.next();
    }
    co_await kit::until([&] { return log->unwound.load(); });
    EXPECT_TRUE(log->exit);
    EXPECT_TRUE(log->cleaned);
    EXPECT_EQ(all_tasks().size(), 1U) << "the task that closes it is nobody's business";
  });
}

TEST(async_generator_drop, is_not_closed_inside_the_destructor) {
  on_one_loop([]() -> Coro<> {
    auto log = std::make_shared<Log>();
    {
      auto generator = count_for_ever(log);
      co_await generator.next();
    }
    EXPECT_FALSE(log->exit);
    co_await kit::until([&] { return log->unwound.load(); });
  });
}

TEST(async_generator_drop, dropped_as_the_last_thing_is_closed_before_run_returns) {
  for (int yields = 0; yields < 6; ++yields) {
    auto log = std::make_shared<Log>();
    on_loops([log, yields]() -> Coro<> {
      log->cleaned = false;
      {
        auto generator = count_for_ever(log);
        co_await generator.next();
      }
      co_await kit::yield(yields);
    });
    EXPECT_TRUE(log->cleaned) << "run() must not cancel the clean-up";
  }
}

TEST(async_generator_drop, that_is_still_held_when_its_runner_closes_is_closed_too) {
  for (const int loops : {1, 2, 4}) {
    auto log = std::make_shared<Log>();
    AsyncGenerator<int> generator = count_for_ever(log);
    Runner runner({.loops = loops});
    runner.run([&]() -> Coro<> { co_await generator.next(); });
    EXPECT_FALSE(log->cleaned) << "it may be used in the next run";
    runner.close();
    EXPECT_TRUE(log->cleaned);
  }
}

TEST(async_generator_drop, of_a_task_that_is_cancelled_at_the_end_of_run_is_closed) {
  auto log = std::make_shared<Log>();
  on_loops([log]() -> Coro<> {
    log->cleaned = false;
    auto task = create_task([log]() -> Coro<> {
      auto generator = count_for_ever(log);
      for (;;) {
        co_await generator.next();
        co_await sleep(1ms);
      }
    });
    co_await sleep(3ms);
  });
  EXPECT_TRUE(log->cleaned);
}

TEST(async_generator_drop, that_fails_while_the_loop_closes_it_is_reported) {
  on_loops([]() -> Coro<> {
    const kit::Reports reports;
    {
      auto generator = []() -> AsyncGenerator<int> {
        try {
          co_yield 1;
        } catch (const GeneratorExit&) {
          throw std::logic_error("in clean-up");
        }
      }();
      co_await generator.next();
    }
    co_await kit::until([&] { return !reports.empty(); });
    EXPECT_NE(reports.text().find("an error occurred during closing of an asynchronous generator"),
              std::string::npos);
    EXPECT_NE(reports.text().find("in clean-up"), std::string::npos) << reports.text();
  });
}

TEST(async_generator_drop, dropped_by_a_pinned_task_is_closed_on_its_loop) {
  on_loops([]() -> Coro<> {
    std::atomic<int> right{0};
    for (int i = 0; i < 8; ++i) {
      co_await create_task(
          [&]() -> Coro<> {
            Loop* const home = &get_running_loop();
            auto generator = [](Loop* loop, std::atomic<int>& count) -> AsyncGenerator<int> {
              try {
                co_yield 1;
              } catch (const GeneratorExit&) {
              }
              co_await kit::yield(3);
              if (&get_running_loop() == loop) ++count;
            }(home, right);
            co_await generator.next();
          },
          {.affinity = Affinity::loop});
    }
    co_await kit::until([&] { return right == 8; });
  });
}

TEST(async_generator_drop, dropped_by_a_thread_that_is_no_loop_is_closed_on_the_loop_it_began_on) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    auto log = std::make_shared<Log>();
    auto generator = std::make_unique<AsyncGenerator<int>>(count_for_ever(log));
    co_await generator->next();
    std::thread([moved = std::move(generator)]() mutable { moved.reset(); }).join();
    co_await kit::until([&] { return log->unwound.load(); });
    EXPECT_TRUE(log->cleaned);
  });
}

TEST(async_generator_drop, whose_clean_up_waits_for_ever_is_a_deadlock_under_simulation) {
  const kit::Watchdog watchdog;
  bool cancelled = false;
  const auto main = [&]() -> Coro<> {
    auto generator = [](bool& seen) -> AsyncGenerator<int> {
      try {
        co_yield 1;
      } catch (const GeneratorExit&) {
      }
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
        seen = true;
        throw;
      }
    }(cancelled);
    co_await generator.next();
  };
  EXPECT_EQ(
      thrown_text([&] { coil::run(main(), {.loops = 2, .backend = Backend::sim}); }).substr(0, 9),
      "deadlock:");
  EXPECT_TRUE(cancelled);
}

}  // namespace
