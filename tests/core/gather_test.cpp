// gather and gather_results: results, failures, cancellation, and who goes on running.
#include <coil/future.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

Coro<int> give(int value, int yields = 0) {
  co_await kit::yield(yields);
  co_return value;
}
Coro<> nothing() { co_return; }
Coro<std::unique_ptr<int>> give_owned(int value) { co_return std::make_unique<int>(value); }
Coro<int> fail(std::string what, int yields = 0) {
  co_await kit::yield(yields);
  throw std::runtime_error(what);
}
// Sleeps until cancelled, and tells that it was.
Coro<int> sleeper(int& cancelled) {
  try {
    co_await sleep_forever();
  } catch (const CancelledError&) {
    ++cancelled;
    throw;
  }
  co_return 0;
}
// Takes the cancel and gives a value all the same.
Coro<int> stubborn(int value) {
  try {
    co_await sleep_forever();
  } catch (const CancelledError&) {
  }
  co_await kit::yield(2);
  co_return value;
}

TEST(gather, gives_a_tuple_in_argument_order) {
  on_loops([]() -> Coro<> {
    auto task = create_task(give(3, 1));
    auto future = create_future<std::string>();
    future.set_result("text");
    auto [a, b, c, d, e] = co_await gather(give(1, 5), nothing(), task, future, give_owned(4));
    static_assert(std::is_same_v<decltype(b), std::monostate>);
    EXPECT_EQ(a, 1);
    EXPECT_EQ(c, 3);
    EXPECT_EQ(d, "text");
    EXPECT_EQ(*e, 4);
    EXPECT_EQ(future.result(), "text") << "the result of a given future was moved out";
  });
}

TEST(gather, gives_a_vector_in_argument_order) {
  on_loops([]() -> Coro<> {
    std::vector<Coro<int>> coros;
    for (int i = 0; i < 100; ++i) coros.push_back(give(i, (i * 7) % 5));
    const auto values = co_await gather(std::move(coros));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i);
    std::vector<Coro<std::unique_ptr<int>>> owned;
    owned.push_back(give_owned(5));
    EXPECT_EQ(**(co_await gather(std::move(owned))).begin(), 5);
    const std::vector<std::monostate> nothings = co_await gather(std::vector<Coro<>>());
    EXPECT_TRUE(nothings.empty());
  });
}

TEST(gather, takes_any_range) {
  on_loops([]() -> Coro<> {
    auto lazily = std::views::iota(0, 6) | std::views::filter([](int i) { return i % 2 == 1; }) |
                  std::views::transform([](int i) { return give(i, i); });
    EXPECT_EQ(co_await gather(lazily), (std::vector{1, 3, 5}));
    std::vector<Task<int>> tasks{create_task(give(1)), create_task(give(2))};
    EXPECT_EQ(co_await gather(tasks), (std::vector{1, 2}));
    EXPECT_EQ(co_await gather(tasks), (std::vector{1, 2})) << "named tasks are not used up";
  });
}

TEST(gather, takes_functions_and_other_awaitables) {
  on_loops([]() -> Coro<> {
    std::string text(50, 'a');
    auto [a, b, c] = co_await gather(
        [text]() -> Coro<std::size_t> {
          co_await kit::yield(2);
          co_return text.size();
        },
        sleep(1ms), gather(give(1), give(2)));
    EXPECT_EQ(a, 50U);
    EXPECT_EQ(c, std::tuple(1, 2));
    (void)b;
    auto [d] = co_await gather(
        [](int x, std::unique_ptr<int> y) -> Coro<int> {
          co_await kit::yield(2);
          co_return x + *y;
        },
        3, std::make_unique<int>(4));
    EXPECT_EQ(d, 7);
  });
}

TEST(gather, of_nothing_gives_at_once) {
  on_one_loop([]() -> Coro<> {
    bool ran = false;
    auto other = create_task([&]() -> Coro<> {
      ran = true;
      co_return;
    });
    co_await gather();
    co_await gather_results();
    EXPECT_TRUE((co_await gather(std::vector<Task<int>>())).empty());
    EXPECT_FALSE(ran) << "it suspended";
    co_await other;
  });
}

TEST(gather, starts_its_children_when_it_is_called) {
  on_one_loop([]() -> Coro<> {
    int ran = 0;
    const auto count = [&]() -> Coro<int> { co_return ++ran; };
    auto both = gather(count(), count());
    co_await kit::yield();
    EXPECT_EQ(ran, 2);
    EXPECT_EQ(co_await std::move(both), std::tuple(1, 2));
  });
}

TEST(gather, runs_the_same_task_once_and_gives_it_twice) {
  on_loops([]() -> Coro<> {
    std::atomic<int> runs{0};
    auto task = create_task([&]() -> Coro<std::string> {
      ++runs;
      co_await kit::yield(2);
      co_return std::string(40, 'z');
    });
    auto [a, b] = co_await gather(task, task);
    EXPECT_EQ(a, b);
    EXPECT_EQ(a.size(), 40U);
    EXPECT_EQ(runs, 1);
  });
}

TEST(gather, throws_the_first_exception_at_once_and_lets_the_others_run) {
  on_one_loop([]() -> Coro<> {
    auto slow = create_future<int>();
    auto waiting = create_task([slow]() -> Coro<int> { co_return co_await slow; });
    EXPECT_EQ(
        co_await thrown_by<std::runtime_error>(gather(fail("late", 5), waiting, fail("early", 1))),
        "early");
    EXPECT_FALSE(waiting.done());
    EXPECT_EQ(waiting.cancelling(), 0);
    slow.set_result(9);
    EXPECT_EQ(co_await waiting, 9);
  });
}

TEST(gather, throws_what_failed_before_it_was_awaited) {
  on_one_loop([]() -> Coro<> {
    auto both = gather(fail("second", 4), fail("first", 1));
    co_await kit::yield(8);
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(std::move(both)), "first");
  });
}

TEST(gather, counts_later_exceptions_as_retrieved) {
  on_loops([]() -> Coro<> {
    const kit::Reports reports;
    co_await thrown_by<std::runtime_error>(gather(fail("one"), fail("two", 5), fail("three", 1)));
    co_await kit::until([] { return all_tasks().size() == 1; });
    co_await kit::yield(3);
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

TEST(gather, reports_failures_nobody_could_hear_of_when_it_is_dropped) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    int finished = 0;
    {
      auto dropped = gather(fail("lost", 2), [&]() -> Coro<> {
        co_await kit::yield(3);
        ++finished;
      });
      co_await kit::yield();
    }
    co_await kit::yield(8);
    EXPECT_EQ(finished, 1) << "dropping the gather must leave its children running";
    EXPECT_EQ(reports.count("never retrieved"), 1) << reports.text();
  });
}

TEST(gather, leaves_no_trace_on_a_future_that_never_comes) {
  on_loops([]() -> Coro<> {
    auto probe = std::make_shared<int>(0);
    {
      auto never_set = create_future<int>();
      never_set.add_done_callback([probe](const Future<int>&) {});
      co_await thrown_by<std::runtime_error>(gather(never_set, fail("x")));
      EXPECT_FALSE(never_set.done());
      auto dropped = gather(never_set, nothing());
    }
    EXPECT_EQ(probe.use_count(), 1) << "the future has not been freed";
    co_await kit::yield();
  });
}

TEST(gather, cancels_all_children_when_it_is_cancelled) {
  on_loops([]() -> Coro<> {
    int cancelled[3] = {};
    auto future = create_future<int>();
    auto given = create_task(sleeper(cancelled[0]));
    auto waiter = create_task([&]() -> Coro<> {
      co_await gather(given, sleeper(cancelled[1]), sleeper(cancelled[2]), future);
    });
    co_await kit::until(
        [&] { return all_tasks().size() == 5 && TaskRef(waiter).get()->suspended(); });
    co_await kit::yield(3);
    waiter.cancel("all of you");
    EXPECT_EQ(co_await thrown_by<CancelledError>(waiter), "all of you");
    co_await kit::until([] { return all_tasks().size() == 1; });
    EXPECT_EQ(cancelled[0] + cancelled[1] + cancelled[2], 3);
    EXPECT_TRUE(future.cancelled());
    EXPECT_TRUE(given.cancelled());
  });
}

TEST(gather, passes_the_text_of_a_cancel_on) {
  on_one_loop([]() -> Coro<> {
    auto given = create_task(sleep_forever());
    auto waiter = create_task([&]() -> Coro<> { co_await gather(given, nothing()); });
    co_await kit::yield(3);
    waiter.cancel("why not");
    co_await thrown_by<CancelledError>(waiter);
    EXPECT_EQ(co_await thrown_by<CancelledError>(given), "why not");
  });
}

TEST(gather, cancels_its_children_when_the_cancel_came_before_it) {
  on_loops([]() -> Coro<> {
    auto given = create_task(sleep_forever());
    auto waiter = create_task([&]() -> Coro<> {
      current_task().cancel();
      co_await gather(given, give(1));
    });
    co_await thrown_by<CancelledError>(waiter);
    co_await kit::until([&] { return given.done(); });  // the other child may have ended first
    EXPECT_TRUE(given.cancelled());
  });
}

TEST(gather, throws_what_a_cancelled_child_throws_instead) {
  on_one_loop([]() -> Coro<> {
    auto waiter = create_task([]() -> Coro<> {
      co_await gather(
          []() -> Coro<> {
            try {
              co_await sleep_forever();
            } catch (const CancelledError&) {
            }
            throw std::logic_error("clean-up failed");
          },
          give(1));
    });
    co_await kit::yield(3);
    waiter.cancel();
    EXPECT_EQ(co_await thrown_by<std::logic_error>(waiter), "clean-up failed");
  });
}

TEST(gather, is_cancelled_even_if_every_child_swallows_the_cancel) {
  on_loops([]() -> Coro<> {
    auto one = create_task(stubborn(1));
    auto two = create_task(stubborn(2));
    auto waiter = create_task([&]() -> Coro<> { co_await gather(one, two); });
    co_await kit::until([&] {
      return TaskRef(waiter).get()->suspended() && TaskRef(one).get()->suspended() &&
             TaskRef(two).get()->suspended();
    });
    waiter.cancel();
    co_await thrown_by<CancelledError>(waiter);
    EXPECT_TRUE(one.done() && two.done()) << "it ended before all were done";
    EXPECT_EQ(one.result() + two.result(), 3);
  });
}

TEST(gather, throws_cancelled_error_when_a_child_was_cancelled) {
  on_loops([]() -> Coro<> {
    auto child = create_task(sleep_forever());
    auto other = create_task(sleep_forever());
    auto waiter = create_task([&]() -> Coro<> { co_await gather(child, other); });
    co_await kit::yield(3);
    child.cancel("child only");
    EXPECT_EQ(co_await thrown_by<CancelledError>(waiter), "child only");
    EXPECT_EQ(waiter.cancelling(), 0);
    EXPECT_FALSE(other.done());
    other.cancel();
  });
}

TEST(gather, takes_a_second_cancel_to_its_children) {
  on_one_loop([]() -> Coro<> {
    auto child = create_task([]() -> Coro<> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
      }
      co_await sleep_forever();
    });
    auto waiter = create_task([&]() -> Coro<> { co_await gather(child, nothing()); });
    co_await kit::yield(3);
    waiter.cancel();
    co_await kit::yield(3);
    EXPECT_FALSE(waiter.done());
    waiter.cancel();
    co_await thrown_by<CancelledError>(waiter);
    EXPECT_EQ(child.cancelling(), 2);
  });
}

TEST(gather, is_cancelled_by_a_scope) {
  on_loops([]() -> Coro<> {
    int cancelled = 0;
    auto result = co_await move_on_after(2ms, [&]() -> Coro<int> {
      auto [a] = co_await gather(sleeper(cancelled));
      co_return a;
    });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_EQ(cancelled, 1);
  });
}

TEST(gather, works_in_wait_for_and_create_task) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await wait_for(gather(give(1), give(2, 3)), 10s), std::tuple(1, 2));
    int cancelled = 0;
    co_await thrown_by<TimeoutError>(wait_for(gather(sleeper(cancelled), sleep(10s)), 2ms));
    EXPECT_EQ(cancelled, 1);
    EXPECT_EQ(co_await create_task(gather(give(3), give(4))), std::tuple(3, 4));
  });
}

TEST(gather, may_be_awaited_again) {
  on_one_loop([]() -> Coro<> {
    auto both = gather([]() -> Coro<std::string> { co_return std::string(30, 'q'); }, give(1, 2));
    const auto first = co_await both;
    EXPECT_EQ(first, co_await both);
    EXPECT_EQ(first, co_await std::move(both));
    auto failing = gather(fail("again"), give(1));
    EXPECT_EQ(
        co_await thrown_by<std::runtime_error>(create_task([&]() -> Coro<> { co_await failing; })),
        "again");
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(std::move(failing)), "again");
  });
}

TEST(gather, is_awaited_by_one_task_at_a_time) {
  on_one_loop([]() -> Coro<> {
    auto gate = create_future<int>();
    auto both = gather(gate, nothing());
    auto first = create_task([&]() -> Coro<> { co_await both; });
    co_await kit::yield();
    co_await thrown_by<std::runtime_error>(create_task([&]() -> Coro<> { co_await both; }));
    gate.set_result(1);
    co_await first;
  });
}

TEST(gather, may_nest_ten_thousand_deep_and_be_cancelled) {
  on_one_loop([]() -> Coro<> {
    struct Nest {
      static Coro<> descend(int depth) {
        if (depth == 0) {
          co_await sleep_forever();
        } else {
          co_await gather(descend(depth - 1), nothing());
        }
      }
    };
    auto top = create_task(Nest::descend(10'000));
    co_await kit::until([] { return all_tasks().size() == 10'002; });
    co_await kit::yield(3);
    top.cancel("down");
    EXPECT_EQ(co_await thrown_by<CancelledError>(top), "down");
    co_await kit::until([] { return all_tasks().size() == 1; });
  });
}

TEST(gather, survives_children_that_end_while_it_is_cancelled) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 200; ++round) {
      auto one = create_future<int>();
      auto two = create_future<int>();
      auto waiter = create_task([=]() -> Coro<int> {
        auto [a, b] = co_await gather(one, two);
        co_return a + b;
      });
      co_await kit::yield(round % 3);
      std::thread setter([=] {
        one.try_set_result(1);
        two.try_set_result(2);
      });
      waiter.cancel();
      try {
        EXPECT_EQ(co_await waiter, 3);
      } catch (const CancelledError&) {
      }
      setter.join();
    }
  });
}

TEST(gather_results, tells_how_each_one_ended) {
  on_loops([]() -> Coro<> {
    auto cancelled = create_task(sleep_forever());
    auto owned = create_task(give_owned(3));
    cancelled.cancel("gone");
    auto [a, b, c, d, e] =
        co_await gather_results(give(1, 3), fail("bad", 1), cancelled, nothing(), owned);
    EXPECT_TRUE(a);
    EXPECT_EQ(*a, 1);
    EXPECT_FALSE(b.has_value());
    EXPECT_THROW((void)b.value(), std::runtime_error);
    EXPECT_NE(b.error(), nullptr);
    EXPECT_THROW(c.value(), CancelledError);
    EXPECT_TRUE(d.has_value());
    EXPECT_EQ(**e, 3);
  });
}

TEST(gather_results, gives_a_vector_for_a_range) {
  on_loops([]() -> Coro<> {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 10; ++i)
      tasks.push_back(create_task(i % 3 == 0 ? fail("x", i) : give(i, i)));
    const auto results = co_await gather_results(tasks);
    for (int i = 0; i < 10; ++i) {
      const auto& result = results[static_cast<std::size_t>(i)];
      EXPECT_EQ(result.has_value(), i % 3 != 0);
      if (result) EXPECT_EQ(result.value(), i);
    }
  });
}

TEST(gather_results, leaves_nothing_to_report) {
  on_loops([]() -> Coro<> {
    const kit::Reports reports;
    (void)co_await gather_results(fail("a"), fail("b", 2));
    co_await kit::yield(2);
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

TEST(gather_results, waits_for_all_when_it_is_cancelled) {
  on_loops([]() -> Coro<> {
    auto quick = create_task(sleep_forever());
    auto slow = create_task(stubborn(1));
    auto waiter = create_task([&]() -> Coro<> { (void)co_await gather_results(quick, slow); });
    co_await kit::until([&] {
      return TaskRef(waiter).get()->suspended() && TaskRef(slow).get()->suspended() &&
             TaskRef(quick).get()->suspended();
    });
    waiter.cancel("both");
    EXPECT_EQ(co_await thrown_by<CancelledError>(waiter), "both");
    EXPECT_TRUE(quick.cancelled());
    EXPECT_TRUE(slow.done());
    EXPECT_EQ(slow.result(), 1);
  });
}

}  // namespace
