// fork: results, failures, cancellation, context, and children that suspend.
#include <atomic>
#include <coil/cancel_scope.hpp>
#include <coil/context.hpp>
#include <coil/event.hpp>
#include <coil/fork.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

Coro<int> give(int value) { co_return value; }
Coro<> nothing() { co_return; }
Coro<int> give_late(int value) {
  co_await sleep(1ms);
  co_return value;
}
Coro<int> fail(std::string what, Duration delay = {}) {
  if (delay > Duration()) co_await sleep(delay);
  throw std::runtime_error(what);
}
Coro<int> sleeper(std::atomic<int>& started, std::atomic<int>& cancelled) {
  ++started;
  try {
    co_await sleep_forever();
  } catch (const CancelledError&) {
    ++cancelled;
    throw;
  }
  co_return 0;
}
Coro<long> fib(int n) {
  if (n < 2) co_return n;
  auto [a, b] = co_await fork(fib(n - 1), fib(n - 2));
  co_return a + b;
}

TEST(fork, gives_a_tuple_in_argument_order) {
  on_loops([]() -> Coro<> {
    int object = 5;
    auto [a, b, c, d, e] = co_await fork(
        give(1), nothing(), give_late(3),
        []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(4); },
        [&]() -> Coro<int&> { co_return object; });
    static_assert(std::is_same_v<decltype(b), std::monostate>);
    EXPECT_EQ(a, 1);
    EXPECT_EQ(c, 3);
    EXPECT_EQ(*d, 4);
    EXPECT_EQ(&e, &object);
  });
}

TEST(fork, takes_tasks_and_futures_too) {
  on_loops([]() -> Coro<> {
    auto task = create_task(give_late(1));
    auto future = create_future<int>();
    create_task([future]() -> Coro<> {
      co_await kit::yield(3);
      future.set_result(2);
    });
    auto [a, b] = co_await fork(task, future);
    EXPECT_EQ(a + b, 3);
  });
}

TEST(fork, of_one_child_is_that_child) {
  on_loops([]() -> Coro<> { EXPECT_EQ(std::get<0>(co_await fork(give(7))), 7); });
}

TEST(fork, nests_to_any_depth) {
  on_loops([]() -> Coro<> { EXPECT_EQ(co_await fib(18), 2584); });
}

Coro<int> deep(int depth) {
  if (depth == 0) co_return 0;
  auto [a, b] = co_await fork(deep(depth - 1), give(1));
  co_return a + b;
}
TEST(fork, of_a_hundred_thousand_levels_needs_no_stack) {
  on_loops([]() -> Coro<> { EXPECT_EQ(co_await deep(100'000), 100'000); });
}

TEST(fork, runs_its_children_in_order_on_one_loop) {
  on_one_loop([]() -> Coro<> {
    std::string order;
    const auto child = [&](char name) -> Coro<> {
      order += name;
      co_return;
    };
    co_await fork(child('a'), child('b'), child('c'));
    EXPECT_EQ(order, "abc");
  });
}

TEST(fork, makes_no_task_of_a_child_that_nobody_takes) {
  on_one_loop([]() -> Coro<> {
    const TaskRef self = current_task();
    const auto child = [&]() -> Coro<> {
      EXPECT_EQ(current_task(), self);
      EXPECT_EQ(all_tasks().size(), 1U);
      co_return;
    };
    co_await fork(child(), child(), child());
  });
}

TEST(fork, lets_the_others_run_while_a_child_waits_for_them) {
  on_loops([]() -> Coro<> {
    Event first, second;
    co_await fork(
        [&]() -> Coro<> {
          co_await first.wait();
          second.set();
        },
        [&]() -> Coro<> {
          first.set();
          co_await second.wait();
        });
  });
}

TEST(fork, children_of_a_task_that_is_bound_to_its_loop_stay_there) {
  on_loops([]() -> Coro<> {
    auto pinned = create_task(
        []() -> Coro<> {
          const Loop* const home = &get_running_loop();
          Event first;
          const auto waits = [&]() -> Coro<> {
            co_await first.wait();
            EXPECT_EQ(&get_running_loop(), home);
          };
          const auto sets = [&]() -> Coro<> {
            first.set();
            EXPECT_EQ(&get_running_loop(), home);
            co_return;
          };
          co_await fork(waits(), waits(), sets());
        },
        {.affinity = Affinity::loop});
    co_await pinned;
  });
}

TEST(fork, an_exception_comes_when_the_rest_have_ended) {
  on_loops([]() -> Coro<> {
    std::atomic<int> ended{0};
    const auto counted = [&](Duration delay) -> Coro<> {
      co_await sleep(delay);
      ++ended;
    };
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(
                  fork(fail("first"), counted(2ms), fail("second", 5ms), counted(0ms))),
              "first");
    EXPECT_EQ(ended, 2);
  });
}

TEST(fork, the_exception_that_came_first_wins) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(fork(fail("late", 20ms), fail("early"))),
              "early");
  });
}

TEST(fork, an_exception_keeps_its_type) {
  struct Special {
    int number;
  };
  on_loops([]() -> Coro<> {
    const auto thrower = []() -> Coro<> {
      co_await sleep(1ms);
      throw Special{3};
    };
    try {
      co_await fork(give_late(1), thrower());
      ADD_FAILURE() << "did not throw";
    } catch (const Special& special) {
      EXPECT_EQ(special.number, 3);
    }
  });
}

TEST(fork, a_cancelled_task_cancels_its_children) {
  on_loops([]() -> Coro<> {
    std::atomic<int> started{0};
    std::atomic<int> cancelled{0};
    auto task = create_task([&]() -> Coro<> {
      co_await fork(sleeper(started, cancelled), sleeper(started, cancelled),
                    sleeper(started, cancelled));
    });
    co_await kit::until([&] { return started == 3; });
    task.cancel("enough");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "enough");
    EXPECT_EQ(cancelled, 3);
    EXPECT_EQ(all_tasks().size(), 1U);
  });
}

TEST(fork, a_cancelled_task_cancels_children_that_it_waits_for) {
  on_loops([]() -> Coro<> {
    std::atomic<int> started{0};
    std::atomic<int> cancelled{0};
    auto task = create_task([&]() -> Coro<> {
      co_await fork([&]() -> Coro<> { co_await kit::until([&] { return started == 2; }); },
                    sleeper(started, cancelled), sleeper(started, cancelled));
    });
    co_await kit::until([&] { return started == 2; });
    co_await sleep(2ms);
    task.cancel("enough");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "enough");
    EXPECT_EQ(cancelled, 2);
  });
}

// One child fails on another loop after its parent was cancelled, and never got to know of that.
TEST(fork, a_cancel_that_no_child_has_met_comes_after_the_error) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  coil::run(
      []() -> Coro<> {
        std::atomic<bool> taken{false};
        std::atomic<bool> cancelled{false};
        bool failed = false;
        auto task = create_task([&]() -> Coro<> {
          const auto waits = [&]() -> Coro<> {
            while (!taken) std::this_thread::yield();
            co_return;
          };
          const auto fails = [&]() -> Coro<> {
            taken = true;
            while (!cancelled) std::this_thread::yield();
            throw std::runtime_error("failed");
            co_return;
          };
          try {
            co_await fork(waits(), fails());
          } catch (const std::runtime_error&) {
            failed = true;
          }
          co_await sleep(1ms);
        });
        std::thread canceller([&] {
          while (!taken) std::this_thread::yield();
          std::this_thread::sleep_for(5ms);  // most often it waits for the other child by now
          task.cancel("enough");
          cancelled = true;
        });
        EXPECT_EQ(co_await thrown_by<CancelledError>(task), "enough");
        EXPECT_TRUE(failed);
        canceller.join();
      }(),
      {.loops = 3});
}

TEST(fork, a_scope_cancels_the_children_wherever_they_run) {
  on_loops([]() -> Coro<> {
    std::atomic<int> started{0};
    std::atomic<int> cancelled{0};
    const auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      const auto canceller = [&]() -> Coro<int> {
        co_await kit::until([&] { return started == 2; });
        scope.cancel("reason");
        co_await sleep_forever();
        co_return 0;
      };
      co_await fork(sleeper(started, cancelled), canceller(), sleeper(started, cancelled));
    });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_EQ(cancelled, 2);
  });
}

TEST(fork, a_scope_cancels_children_that_the_task_waits_for) {
  on_loops([]() -> Coro<> {
    std::atomic<int> started{0};
    std::atomic<int> cancelled{0};
    Canceller canceller;
    auto task = create_task([&]() -> Coro<bool> {
      const auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
        canceller = scope.canceller();
        co_await fork([&]() -> Coro<> { co_await kit::until([&] { return started == 2; }); },
                      sleeper(started, cancelled), sleeper(started, cancelled));
      });
      co_return result.cancelled_caught();
    });
    co_await kit::until([&] { return started == 2; });
    co_await sleep(2ms);
    canceller.cancel("enough");
    EXPECT_TRUE(co_await task);
    EXPECT_EQ(cancelled, 2);
  });
}

TEST(fork, a_scope_inside_a_child_cancels_that_child_alone) {
  on_loops([]() -> Coro<> {
    const auto bounded = []() -> Coro<bool> {
      const auto result = co_await move_on_after(5ms, []() -> Coro<> { co_await sleep_forever(); });
      co_return result.cancelled_caught();
    };
    auto [a, b, c] = co_await fork(bounded(), give_late(2), bounded());
    EXPECT_TRUE(a);
    EXPECT_EQ(b, 2);
    EXPECT_TRUE(c);
  });
}

TEST(fork, awaiting_what_others_cancelled_is_no_cancellation_of_its_own) {
  on_loops([]() -> Coro<> {
    auto other = create_task([]() -> Coro<> { co_await sleep_forever(); });
    co_await kit::yield();
    other.cancel();
    co_await kit::until([&] { return other.done(); });
    std::atomic<int> ran{0};
    const auto counts = [&]() -> Coro<> {
      ++ran;
      co_return;
    };
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(
                  fork([&]() -> Coro<> { co_await other; }, fail("failed"), counts())),
              "failed");
    EXPECT_EQ(ran, 1);
    co_await thrown_by<CancelledError>(fork([&]() -> Coro<> { co_await other; }, counts()));
    EXPECT_EQ(ran, 2);
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(fork, a_timeout_around_it_ends_it) {
  on_loops([]() -> Coro<> {
    std::atomic<int> started{0};
    std::atomic<int> cancelled{0};
    try {
      co_await timeout(20ms, [&]() -> Coro<> {
        co_await fork(sleeper(started, cancelled), sleeper(started, cancelled));
      });
      ADD_FAILURE() << "did not throw";
    } catch (const TimeoutError&) {
    }
    EXPECT_EQ(cancelled, started);
  });
}

TEST(fork, works_inside_the_groups_of_its_children) {
  on_loops([]() -> Coro<> {
    std::atomic<int> sum{0};
    const auto child = [&](int value) -> Coro<> {
      co_await with_task_group([&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 3; ++i)
          group.create_task([&sum, value]() -> Coro<> {
            auto [a, b] = co_await fork(give_late(value), give(value));
            sum += a + b;
          });
        co_await sleep(1ms);
      });
    };
    co_await fork(child(1), child(10), child(100));
    EXPECT_EQ(sum, 6 * 111);
  });
}

ContextVar<int> variable{"variable", 0};

TEST(fork, children_see_the_context_and_change_it_for_themselves) {
  on_loops([]() -> Coro<> {
    variable.set(1);
    const auto child = [](int value, bool waits) -> Coro<> {
      EXPECT_EQ(variable.get(), 1);
      variable.set(value);
      if (waits) co_await sleep(1ms);
      EXPECT_EQ(variable.get(), value);
    };
    co_await fork(child(2, true), child(3, false), child(4, true));
    EXPECT_EQ(variable.get(), 1);
    auto token = variable.set(5);
    co_await fork(nothing(), [&]() -> Coro<> {
      EXPECT_EQ(variable.get(), 5);
      variable.set(6);
      co_return;
    });
    variable.reset(token);
    EXPECT_EQ(variable.get(), 1);
  });
}

TEST(fork, restores_a_context_that_has_become_an_object) {
  on_loops([]() -> Coro<> {
    variable.set(1);
    const Context mine = copy_context();
    auto task = create_task(
        []() -> Coro<> {
          EXPECT_EQ(variable.get(), 1);
          co_await fork(
              []() -> Coro<> {
                variable.set(2);
                co_return;
              },
              []() -> Coro<> {
                EXPECT_EQ(variable.get(), 1);
                co_return;
              });
          EXPECT_EQ(variable.get(), 1);
        },
        {.context = mine});
    co_await task;
  });
}

TEST(fork, destroys_results_that_nobody_gets) {
  on_loops([]() -> Coro<> {
    auto value = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = value;
    const auto give_shared = [](std::shared_ptr<int> kept) -> Coro<std::shared_ptr<int>> {
      co_return kept;
    };
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(
                  fork(give_shared(value), fail("no"), give_shared(std::move(value)))),
              "no");
    EXPECT_TRUE(watch.expired());
  });
}

TEST(fork, is_awaited_once) {
  on_one_loop([]() -> Coro<> {
    Fork<int, int> forked = fork(give(1), give(2));
    co_await std::move(forked);
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(std::move(forked)),
              "coil: cannot fork an already awaited coroutine");
    Coro<int> used = give(1);
    co_await std::move(used);
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(fork(give(1), std::move(used))),
              "coil: cannot fork an already awaited coroutine");
  });
}

TEST(fork, shows_in_the_stack_and_in_the_trace) {
  on_one_loop([]() -> Coro<> {
    const auto failing = []() -> Coro<> {
      co_await sleep(1ms);
      throw std::runtime_error("here");
    };
    auto task = create_task([&]() -> Coro<> { co_await fork(failing(), give(1)); });
    co_await kit::yield(2);
    EXPECT_EQ(task.get_stack().size(), 2U) << "the child and its parent";
    co_await thrown_by<std::runtime_error>(task);
    EXPECT_EQ(task.get_stack().size(), 2U) << "the exception left both";
  });
}

}  // namespace
