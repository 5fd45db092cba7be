// as_completed: order, limits, cancellation, and what it takes.
#include <coil/as_completed.hpp>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <ranges>
#include <set>
#include <string>
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
Coro<int> give_after(Duration time, int value) {
  co_await sleep(time);
  co_return value;
}
Coro<int> fail() {
  throw std::runtime_error("failed");
  co_return 0;
}
template <class H>
Coro<std::vector<int>> results_of(AsCompleted<H> it) {
  std::vector<int> results;
  while (auto next = co_await it.next()) {
    EXPECT_TRUE(next->done());
    results.push_back(next->result());
  }
  co_return results;
}

TEST(as_completed, gives_each_in_order_of_completion) {
  on_loops([]() -> Coro<> {
    std::vector<Future<>> gates;
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 4; ++i) {
      gates.push_back(create_future<>());
      tasks.push_back(create_task([gate = gates.back(), i]() -> Coro<int> {
        co_await gate;
        co_return i;
      }));
    }
    auto results = create_task(results_of(as_completed(tasks)));
    for (const std::size_t i : {2, 0, 3, 1}) {
      gates[i].set_result();
      co_await tasks[i];
    }
    EXPECT_EQ(co_await results, (std::vector{2, 0, 3, 1}));
  });
}

TEST(as_completed, gives_what_was_done_before_at_once) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task(give(3));
    co_await task;
    bool ran = false;
    auto other = create_task([&]() -> Coro<> {
      ran = true;
      co_return;
    });
    auto it = as_completed({task});
    EXPECT_EQ((co_await it.next())->result(), 3);
    EXPECT_FALSE(co_await it.next());
    EXPECT_FALSE(ran) << "it suspended";
    co_await other;
  });
}

TEST(as_completed, gives_every_one_of_many_on_every_loop) {
  on_loops([]() -> Coro<> {
    std::vector<Coro<int>> coros;
    for (int i = 0; i < 500; ++i) coros.push_back(give(i, i % 5));
    auto results = co_await results_of(as_completed(std::move(coros)));
    std::sort(results.begin(), results.end());
    EXPECT_TRUE(std::ranges::equal(results, std::views::iota(0, 500)));
  });
}

TEST(as_completed, gives_the_given_handles_back) {
  on_loops([]() -> Coro<> {
    std::vector<Task<int>> tasks{create_task(give(1, 3)), create_task(give(2))};
    std::set<Task<int>> seen;
    auto it = as_completed(tasks);
    while (auto next = co_await it.next()) seen.insert(*next);
    EXPECT_TRUE((seen == std::set<Task<int>>(tasks.begin(), tasks.end())));
  });
}

TEST(as_completed, gives_a_duplicate_once) {
  on_loops([]() -> Coro<> {
    auto a = create_task(give(1, 2));
    auto b = create_task(give(2));
    const auto results = co_await results_of(as_completed({a, b, a, b}));
    EXPECT_EQ(results.size(), 2U);
  });
}

TEST(as_completed, gives_failed_and_cancelled_tasks_without_throwing) {
  on_loops([]() -> Coro<> {
    auto failing = create_task(fail());
    auto sleeper = create_task(give_after(1h, 1));
    sleeper.cancel();
    auto it = as_completed({failing, sleeper});
    int failed = 0;
    int cancelled = 0;
    while (auto next = co_await it.next()) {
      cancelled += next->cancelled() ? 1 : 0;
      if (!next->cancelled()) failed += next->exception() != nullptr ? 1 : 0;
    }
    EXPECT_EQ(failed, 1);
    EXPECT_EQ(cancelled, 1);
  });
}

TEST(as_completed, of_nothing_ends_at_once) {
  on_one_loop([]() -> Coro<> {
    EXPECT_FALSE(co_await as_completed(std::vector<Task<int>>()).next());
    EXPECT_FALSE(co_await as_completed(std::vector<Coro<int>>(), 1s).next());
  });
}

TEST(as_completed, refuses_an_empty_handle) {
  on_one_loop([]() -> Coro<> {
    EXPECT_THROW((void)as_completed(std::vector<TaskRef>(1)), std::invalid_argument);
    co_return;
  });
}

TEST(as_completed, takes_coroutines_futures_refs_and_other_awaitables) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ((co_await results_of(as_completed(give(1), give(2), give(3)))).size(), 3U);
    auto future = create_future<int>();
    future.set_result(6);
    EXPECT_EQ(co_await results_of(as_completed({future})), std::vector{6});
    auto number = create_task(give(1, 2));
    auto nothing = create_task(sleep(1ms));
    auto mixed = as_completed({number, nothing});
    std::set<TaskRef> seen;
    while (auto next = co_await mixed.next()) seen.insert(*next);
    EXPECT_TRUE((seen == std::set<TaskRef>{number, nothing}));
    auto lazily = std::views::iota(0, 4) | std::views::transform([](int i) { return give(i); });
    EXPECT_EQ((co_await results_of(as_completed(lazily))).size(), 4U);
    std::vector<decltype(sleep(1ms))> sleeps(3, sleep(1ms));
    auto naps = as_completed(sleeps);
    int woken = 0;
    while (co_await naps.next()) ++woken;
    EXPECT_EQ(woken, 3);
  });
}

TEST(as_completed, throws_timeout_error_for_each_that_is_late) {
  on_loops([]() -> Coro<> {
    auto quick = create_task(give(1, 2));
    auto slow = create_task(give_after(1h, 2));
    auto slower = create_task(give_after(2h, 3));
    auto it = as_completed({slow, quick, slower}, 30ms);
    EXPECT_EQ((co_await it.next())->result(), 1);
    co_await thrown_by<TimeoutError>(it.next());
    co_await thrown_by<TimeoutError>(it.next());
    EXPECT_FALSE(co_await it.next());
    EXPECT_FALSE(slow.done()) << "the limit cancels nobody";
    EXPECT_EQ(slow.cancelling(), 0);
    slow.cancel();
    slower.cancel();
  });
}

TEST(as_completed, counts_its_limit_from_the_call) {
  on_loops([]() -> Coro<> {
    auto in_time = create_task(give(1));
    co_await in_time;
    auto late = create_future<int>();
    auto it = as_completed(std::vector<Future<int>>{in_time, late}, 2ms);
    co_await sleep(3ms);
    late.set_result(2);
    EXPECT_EQ((co_await it.next())->result(), 1) << "it was done before the limit";
    co_await thrown_by<TimeoutError>(it.next());
  });
}

TEST(as_completed, with_a_limit_of_zero_gives_what_was_done) {
  on_loops([]() -> Coro<> {
    auto done = create_task(give(1));
    co_await done;
    auto slow = create_task(give_after(1h, 2));
    auto it = as_completed({slow, done}, 0s);
    EXPECT_EQ((co_await it.next())->result(), 1);
    co_await thrown_by<TimeoutError>(it.next());
    slow.cancel();
  });
}

TEST(as_completed, leaves_the_tasks_alone_when_it_is_cancelled_and_loses_none) {
  on_loops([]() -> Coro<> {
    auto gate = create_future<>();
    auto task = create_task([gate]() -> Coro<int> {
      co_await gate;
      co_return 5;
    });
    for (const TimeLimit limit : {TimeLimit(), TimeLimit(1h)}) {
      auto it = as_completed({task}, limit);
      auto taker = create_task([it]() -> Coro<> { (void)co_await it.next(); });
      co_await kit::until([&] { return TaskRef(taker).get()->suspended(); });
      taker.cancel("enough");
      EXPECT_EQ(co_await thrown_by<CancelledError>(taker), "enough");
      co_await thrown_by<TimeoutError>(wait_for(it.next(), 1ms));
      EXPECT_FALSE(task.done());
      EXPECT_EQ(task.cancelling(), 0);
      if (!limit.has_value()) continue;
      gate.set_result();
      EXPECT_EQ((co_await it.next())->result(), 5);
      EXPECT_FALSE(co_await it.next());
    }
  });
}

TEST(as_completed, throws_the_cancel_that_came_before_without_losing_a_turn) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task(give(5, 3));
    auto it = as_completed({task});
    current_task().cancel();
    co_await thrown_by<CancelledError>(it.next());
    current_task().uncancel();
    EXPECT_TRUE(co_await it.next());
    EXPECT_FALSE(co_await it.next());
  });
}

TEST(as_completed, serves_several_takers_first_come_first_served) {
  on_one_loop([]() -> Coro<> {
    std::vector<Future<int>> futures;
    for (int i = 0; i < 3; ++i) futures.push_back(create_future<int>());
    auto it = as_completed(futures);
    std::vector<Task<int>> takers;
    for (int i = 0; i < 4; ++i)
      takers.push_back(create_task([it]() -> Coro<int> {
        auto next = co_await it.next();
        co_return next ? next->result() : -1;
      }));
    co_await kit::yield(2);
    for (int i = 0; i < 3; ++i) futures[static_cast<std::size_t>(2 - i)].set_result(i);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await takers[static_cast<std::size_t>(i)], i);
    EXPECT_EQ(co_await takers[3], -1) << "there were three, and three were asked for before";
  });
}

TEST(as_completed, leaves_no_trace_when_it_is_dropped) {
  on_loops([]() -> Coro<> {
    auto slow = create_task(give_after(1h, 1));
    for (int i = 0; i < 100; ++i) {
      auto it = as_completed({slow, create_task(give(i))});
      EXPECT_EQ((co_await it.next())->result(), i);
    }
    std::size_t waiters = 0;
    (void)TaskRef(slow).get()->completion().remove_if([&](detail::FutureWaiter&) {
      ++waiters;
      return false;
    });
    EXPECT_EQ(waiters, 0U);
    slow.cancel();
  });
}

TEST(as_completed, keeps_what_a_next_needs_when_the_iterator_goes) {
  on_loops([]() -> Coro<> {
    auto task = create_task(as_completed({create_task(give(8, 4))}).next());
    EXPECT_EQ((co_await task)->result(), 8);
  });
}

TEST(as_completed, survives_tasks_that_end_while_time_is_up) {
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 300; ++i) {
      std::vector<Task<int>> tasks;
      for (int k = 0; k < 4; ++k)
        tasks.push_back(create_task(give_after(std::chrono::microseconds(40 + k % 2), k)));
      auto it = as_completed(tasks, std::chrono::microseconds(41));
      int turns = 0;
      for (bool more = true; more; ++turns) {
        try {
          more = (co_await it.next()).has_value();
        } catch (const TimeoutError&) {
        }
      }
      EXPECT_EQ(turns, 5);
      for (auto& task : tasks) co_await task;
    }
  });
}

}  // namespace
