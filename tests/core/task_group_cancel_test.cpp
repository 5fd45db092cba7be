// TaskGroup and cancellations from outside: by a task, a timeout, a scope, an outer group, Ctrl-C.
#include <atomic>
#include <coil/exception_group.hpp>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <core/task_group_kit.hpp>
#include <kit/groups.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using kit::failures_of;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;
using namespace group_kit;

namespace {

TEST(task_group, is_cancelled_from_outside_while_the_body_runs) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    bool body_cancelled = false;
    auto runner = create_task([&]() -> Coro<> {
      co_await with_task_group([&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 5; ++i) co_await suspended(group.create_task(sleeper(cancelled)));
        try {
          co_await sleep_forever();
        } catch (const CancelledError&) {
          body_cancelled = true;
          throw;
        }
      });
    });
    co_await kit::until([] { return all_tasks().size() == 7; });
    co_await sleep(2ms);
    co_await suspended(runner);
    EXPECT_FALSE(runner.done());
    runner.cancel("outside");
    EXPECT_EQ(co_await thrown_by<CancelledError>(runner), "outside");
    EXPECT_EQ(cancelled, 5);
    EXPECT_TRUE(body_cancelled);
    EXPECT_EQ(runner.cancelling(), 1);
  });
}

TEST(task_group, is_cancelled_from_outside_while_it_waits) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    auto runner = create_task([&]() -> Coro<> {
      co_await with_task_group([&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 3; ++i) co_await suspended(group.create_task(sleeper(cancelled)));
      });
    });
    co_await kit::until([] { return all_tasks().size() == 5; });
    co_await sleep(2ms);
    runner.cancel("outside");
    EXPECT_EQ(co_await thrown_by<CancelledError>(runner), "outside");
    EXPECT_EQ(cancelled, 3);
  });
}

TEST(task_group, throws_failures_rather_than_the_cancellation) {
  on_loops([]() -> Coro<> {
    auto runner = create_task([]() -> Coro<> {
      co_await with_task_group([](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 3; ++i) co_await suspended(group.create_task(crash_on_cancel()));
        co_await sleep_forever();
      });
    });
    co_await kit::until([] { return all_tasks().size() == 5; });
    co_await sleep(2ms);
    runner.cancel();
    const auto failures = co_await failures_of(runner);
    EXPECT_EQ(failures, Names(3, "division by zero"));
  });
}

TEST(task_group, is_cancelled_again_while_it_shuts_down) {
  on_one_loop([]() -> Coro<> {
    bool cleaned = false;
    auto runner = create_task([&]() -> Coro<> {
      co_await with_task_group([&](TaskGroup& group) -> Coro<> {
        group.create_task([&]() -> Coro<> {
          try {
            co_await sleep_forever();
          } catch (const CancelledError&) {
          }
          co_await sleep(2ms);
          cleaned = true;
        });
        co_await kit::yield(2);
      });
    });
    co_await kit::yield(5);
    runner.cancel();
    co_await kit::yield(5);
    EXPECT_FALSE(runner.done());
    runner.cancel();
    co_await thrown_by<CancelledError>(runner);
    EXPECT_TRUE(cleaned) << "the second cancel cut the group short";
    EXPECT_EQ(runner.cancelling(), 2);
  });
}

TEST(task_group, lets_a_failing_outer_group_cancel_the_inner) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    EXPECT_EQ(co_await failures_of(with_task_group([&](TaskGroup& outer) -> Coro<> {
                outer.create_task(crash<ValueError>(10));
                co_await with_task_group([&](TaskGroup& inner) -> Coro<> {
                  inner.create_task(sleeper(cancelled));
                  co_await sleep_forever();
                });
              })),
              Names{"value"});
    EXPECT_LE(cancelled, 1);  // 0: it was cancelled before it ran
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(task_group, waits_while_the_body_cleans_up_after_a_failure) {
  on_one_loop([]() -> Coro<> {
    auto runner = create_task([]() -> Coro<> {
      co_await with_task_group([](TaskGroup& group) -> Coro<> {
        group.create_task(crash<ZeroDivision>());
        try {
          co_await sleep_forever();
        } catch (const CancelledError&) {
        }
        co_await sleep(3ms);
        throw CancelledError();
      });
    });
    co_await sleep(1ms);
    EXPECT_FALSE(runner.done());
    runner.cancel();
    EXPECT_EQ(co_await failures_of(runner), Names{"division by zero"});
  });
}

TEST(task_group, wraps_what_the_body_throws_instead_of_its_cancellation) {
  on_loops([]() -> Coro<> {
    auto runner = create_task([]() -> Coro<> {
      co_await with_task_group([](TaskGroup&) -> Coro<> {
        try {
          co_await sleep_forever();
        } catch (const CancelledError&) {
        }
        throw ValueError();
      });
    });
    co_await suspended(runner);
    runner.cancel();
    EXPECT_EQ(co_await failures_of(runner), Names{"value"});
  });
}

TEST(task_group, lets_a_keyboard_interrupt_through_unwrapped) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    co_await thrown_by<KeyboardInterrupt>(with_task_group([&](TaskGroup& group) -> Coro<> {
      auto task = group.create_task(sleeper(cancelled));
      co_await suspended(task);
      throw KeyboardInterrupt();
    }));
    EXPECT_EQ(cancelled, 1);
    co_await thrown_by<KeyboardInterrupt>(with_task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task([]() -> Coro<> {
        throw KeyboardInterrupt();
        co_return;
      });
      co_await sleep_forever();
    }));
  });
}

TEST(task_group, preserves_an_outer_cancellation_request) {
  on_one_loop([]() -> Coro<> {
    auto gate = create_future<>();
    bool group_failed = false;
    bool cancelled_after = false;
    int count = -1;
    auto runner = create_task([&]() -> Coro<> {
      try {
        co_await with_task_group([&](TaskGroup& group) -> Coro<> {
          group.create_task([&]() -> Coro<> {
            co_await gate;
            throw ValueError();
          });
          co_await sleep_forever();
        });
      } catch (const ExceptionGroup&) {
        group_failed = true;
        count = current_task().cancelling();
      }
      try {
        co_await sleep(10s);
      } catch (const CancelledError&) {
        cancelled_after = true;
        throw;
      }
    });
    co_await kit::yield(3);
    gate.set_result();     // the task will fail ...
    runner.cancel("too");  // ... and the cancel comes before it did
    co_await thrown_by<CancelledError>(runner);
    EXPECT_EQ(group_failed, cancelled_after);
    if (group_failed) EXPECT_EQ(count, 1);
  });
}

TEST(task_group, failure_and_cancel_at_once_lose_neither) {
  on_one_loop([]() -> Coro<> {
    bool saw_group = false;
    int count = -1;
    auto runner = create_task([&]() -> Coro<> {
      try {
        co_await with_task_group([](TaskGroup& group) -> Coro<> {
          group.create_task(crash<ZeroDivision>(2));
          group.create_task([]() -> Coro<> {  // keeps the group shutting down for a while
            try {
              co_await sleep_forever();
            } catch (const CancelledError&) {
            }
            co_await sleep(3ms);
          });
          co_await sleep_forever();
        });
      } catch (const ExceptionGroup&) {
        saw_group = true;
        count = current_task().cancelling();
      }
      co_await sleep(10s);
    });
    co_await sleep(1ms);
    runner.cancel("after the failure");
    co_await thrown_by<CancelledError>(runner);
    EXPECT_TRUE(saw_group);
    EXPECT_EQ(count, 1);
  });
}

TEST(task_group, works_under_a_timeout) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    co_await thrown_by<TimeoutError>(timeout(3ms, [&]() -> Coro<> {
      co_await with_task_group([&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 10; ++i) group.create_task(sleeper(cancelled));
        co_return;
      });
    }));
    EXPECT_EQ(cancelled, 10);
    EXPECT_EQ(current_task().cancelling(), 0);
    EXPECT_EQ(all_tasks().size(), 1U);
  });
}

TEST(task_group, is_cancelled_by_a_scope_around_it) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    auto result = co_await move_on_after(3ms, [&]() -> Coro<> {
      co_await with_task_group([&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 10; ++i) group.create_task(sleeper(cancelled));
        co_return;
      });
    });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_EQ(cancelled, 10);
    EXPECT_EQ(all_tasks().size(), 1U);
  });
}

}  // namespace
