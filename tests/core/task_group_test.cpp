// TaskGroup: what asyncio's own tests ask of it. Waits for all, the first failure cancels the rest,
// failures come together, a cancellation from outside stays one.
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

TEST(task_group, waits_for_all_its_tasks) {
  on_loops([]() -> Coro<> {
    Task<int> one;
    Task<int> two;
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      one = group.create_task(give(42, 5));
      two = group.create_task(give(11, 1));
      co_return;
    });
    EXPECT_EQ(one.result(), 42);
    EXPECT_EQ(two.result(), 11);
  });
}

TEST(task_group, gives_the_result_of_its_body) {
  on_loops([]() -> Coro<> {
    std::atomic<int> ended{0};
    auto owned = co_await with_task_group([&](TaskGroup& group) -> Coro<std::unique_ptr<int>> {
      for (int i = 0; i < 20; ++i)
        group.create_task([&]() -> Coro<> {
          co_await kit::yield(3);
          ++ended;
        });
      co_await sleep(1ms);
      co_return std::make_unique<int>(5);
    });
    EXPECT_EQ(*owned, 5);
    EXPECT_EQ(ended, 20);
    EXPECT_EQ(co_await with_task_group([](TaskGroup&) -> Coro<int> { co_return 1; }), 1);
    EXPECT_EQ(co_await with_task_group([]() -> Coro<int> { co_return 2; }), 2);
  });
}

TEST(task_group, is_not_disturbed_by_a_task_that_somebody_cancels) {
  on_loops([]() -> Coro<> {
    Task<int> one;
    Task<> two;
    std::atomic<int> cancelled{0};
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      one = group.create_task(give(42, 10));
      two = group.create_task(sleeper(cancelled));
      co_await suspended(two);
      two.cancel();
    });
    EXPECT_EQ(one.result(), 42);
    EXPECT_TRUE(two.cancelled());
    EXPECT_EQ(cancelled, 1);
  });
}

TEST(task_group, cancels_siblings_and_body_at_the_first_failure) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    bool body_cancelled = false;
    bool after = false;
    EXPECT_EQ(co_await failures_of(with_task_group([&](TaskGroup& group) -> Coro<> {
                for (int i = 0; i < 5; ++i) {
                  auto task = group.create_task(sleeper(cancelled));
                  co_await suspended(task);
                }
                group.create_task(crash<ZeroDivision>());
                try {
                  co_await sleep_forever();
                } catch (const CancelledError&) {
                  body_cancelled = true;
                  throw;
                }
                after = true;
              })),
              Names{"division by zero"});
    EXPECT_EQ(cancelled, 5);
    EXPECT_TRUE(body_cancelled);
    EXPECT_FALSE(after);
    EXPECT_EQ(current_task().cancelling(), 0);
    co_await sleep(0ms);
  });
}

TEST(task_group, cancels_siblings_when_it_only_waits) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    EXPECT_EQ(co_await failures_of(with_task_group([&](TaskGroup& group) -> Coro<> {
                auto task = group.create_task(sleeper(cancelled));
                co_await suspended(task);
                group.create_task(crash<ZeroDivision>(8));
              })),
              Names{"division by zero"});
    EXPECT_EQ(cancelled, 1);
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(task_group, cancels_its_tasks_when_the_body_fails) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    EXPECT_EQ(co_await failures_of(with_task_group([&](TaskGroup& group) -> Coro<> {
                auto task = group.create_task(sleeper(cancelled));
                co_await suspended(task);
                throw ValueError();
              })),
              Names{"value"});
    EXPECT_EQ(cancelled, 1);
  });
}

TEST(task_group, throws_all_failures_together) {
  on_one_loop([]() -> Coro<> {
    EXPECT_EQ(co_await failures_of(with_task_group([](TaskGroup& group) -> Coro<> {
                group.create_task(crash<ZeroDivision>());
                group.create_task(crash<ValueError>());
                group.create_task(crash_on_cancel());
                try {
                  co_await sleep_forever();
                } catch (const CancelledError&) {
                }
                throw std::logic_error("body");
              })),
              (Names{"body", "division by zero", "division by zero", "value"}));
  });
}

TEST(task_group, names_itself_in_what_it_throws) {
  on_one_loop([]() -> Coro<> {
    const auto text =
        co_await thrown_by<ExceptionGroup>(with_task_group([](TaskGroup& group) -> Coro<> {
          group.create_task(crash<ZeroDivision>(0));
          group.create_task(crash<ZeroDivision>(0));
          co_return;
        }));
    EXPECT_TRUE(text.starts_with("unhandled errors in a TaskGroup (2 sub-exceptions)")) << text;
    EXPECT_NE(text.find("division by zero"), std::string::npos);
  });
}

TEST(task_group, waits_for_tasks_that_take_their_time_to_be_cancelled) {
  on_loops([]() -> Coro<> {
    std::atomic<bool> cleaned{false};
    EXPECT_EQ(co_await failures_of(with_task_group([&](TaskGroup& group) -> Coro<> {
                auto slow = group.create_task([&]() -> Coro<> {
                  try {
                    co_await sleep_forever();
                  } catch (const CancelledError&) {
                  }
                  co_await sleep(2ms);
                  cleaned = true;
                });
                co_await suspended(slow);
                group.create_task(crash<ZeroDivision>());
              })),
              Names{"division by zero"});
    EXPECT_TRUE(cleaned);
  });
}

TEST(task_group, nests_the_failures_of_an_inner_group) {
  on_loops([]() -> Coro<> {
    std::atomic<int> cancelled{0};
    EXPECT_EQ(co_await failures_of(with_task_group([&](TaskGroup& outer) -> Coro<> {
                outer.create_task(sleeper(cancelled));
                co_await with_task_group([&](TaskGroup& inner) -> Coro<> {
                  inner.create_task(crash<ValueError>());
                  co_await sleep_forever();
                });
              })),
              Names{"(value)"});
  });
}

TEST(task_group, collects_failures_of_both_nested_groups) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await failures_of(with_task_group([&](TaskGroup& outer) -> Coro<> {
                auto one = outer.create_task(crash_on_cancel());
                co_await suspended(one);
                co_await with_task_group([&](TaskGroup& inner) -> Coro<> {
                  inner.create_task(crash<ValueError>());
                  co_await sleep_forever();
                });
              })),
              (Names{"(value)", "division by zero"}));
  });
}

TEST(task_group, lets_its_tasks_add_tasks) {
  on_loops([]() -> Coro<> {
    struct Tree {
      static Coro<> grow(TaskGroup& group, std::atomic<int>& leaves, int depth) {
        if (depth == 0) {
          ++leaves;
          co_return;
        }
        co_await kit::yield();
        group.create_task(grow(group, leaves, depth - 1));
        group.create_task(grow(group, leaves, depth - 1));
      }
    };
    std::atomic<int> leaves{0};
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(Tree::grow(group, leaves, 7));
      co_return;
    });
    EXPECT_EQ(leaves, 128);
  });
}

TEST(task_group, takes_no_task_from_a_thread_that_is_no_loop) {
  KIT_USES_THREADS();
  on_one_loop([]() -> Coro<> {
    co_await with_task_group([](TaskGroup& group) -> Coro<> {
      std::thread([&] { EXPECT_THROW((void)group.create_task(sleep(0ms)), NoRunningLoop); }).join();
      co_return;
    });
  });
}

TEST(task_group, takes_no_more_tasks_while_it_shuts_down) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    bool refused = false;
    EXPECT_EQ(co_await failures_of(with_task_group([&](TaskGroup& group) -> Coro<> {
                group.create_task(crash<ZeroDivision>());
                try {
                  co_await sleep_forever();
                } catch (const CancelledError&) {
                  try {
                    group.create_task(give(1));
                  } catch (const std::runtime_error& error) {
                    refused = std::string(error.what()).find("shutting down") != std::string::npos;
                  }
                  throw;
                }
              })),
              Names{"division by zero"});
    EXPECT_TRUE(refused);
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

TEST(task_group, gives_no_result_to_report_twice) {
  on_loops([]() -> Coro<> {
    const kit::Reports reports;
    co_await failures_of(with_task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(crash<ZeroDivision>());
      group.create_task(crash<ValueError>());
      co_return;
    }));
    co_await kit::yield(3);
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

TEST(task_group, of_a_thousand_tasks_on_every_loop) {
  on_loops([]() -> Coro<> {
    std::atomic<int> ended{0};
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < 1000; ++i)
        group.create_task(
            [](std::atomic<int>& count, int n) -> Coro<> {
              co_await kit::yield(n % 3);
              ++count;
            },
            std::ref(ended), i);
      co_return;
    });
    EXPECT_EQ(ended, 1000);
  });
}

TEST(task_group, survives_failures_everywhere_at_once) {
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 30; ++round) {
      std::atomic<int> ended{0};
      const auto failures = co_await failures_of(with_task_group([&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 32; ++i)
          group.create_task(
              [](std::atomic<int>& count, int n) -> Coro<> {
                struct End {
                  std::atomic<int>& count;
                  ~End() { ++count; }
                } const end{count};
                co_await kit::yield(n % 5);
                if (n % 2 == 0) throw ValueError();
                co_await sleep_forever();
              },
              std::ref(ended), i);
        co_return;
      }));
      EXPECT_GE(failures.size(), 1U);
      EXPECT_LE(ended, 32);
      EXPECT_EQ(current_task().cancelling(), 0);
    }
  });
}

}  // namespace
