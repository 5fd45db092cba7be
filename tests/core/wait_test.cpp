// wait: what counts as done, when it returns, and that it leaves everybody alone.
#include <array>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/shield.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <coil/wait.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <set>
#include <span>
#include <stdexcept>
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
Coro<int> fail_after_yields(int yields = 0) {
  co_await kit::yield(yields);
  throw std::runtime_error("failed");
}
Coro<int> give_when(Future<> gate, int value) {
  co_await shield(gate);
  co_return value;
}

TEST(wait, for_all_returns_when_all_are_done) {
  on_loops([]() -> Coro<> {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 20; ++i) tasks.push_back(create_task(give(i, i % 4)));
    auto [done, pending] = co_await wait(tasks);
    EXPECT_TRUE(pending.empty());
    EXPECT_TRUE(done == tasks) << "not in input order";
    for (int i = 0; i < 20; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)].result(), i);
  });
}

TEST(wait, for_the_first_returns_with_the_rest_pending) {
  on_loops([]() -> Coro<> {
    auto gate = create_future<>();
    std::vector<Task<int>> tasks{create_task(give_when(gate, 0)), create_task(give_after(1ms, 1)),
                                 create_task(give_when(gate, 2))};
    auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
    EXPECT_TRUE((done == std::vector{tasks[1]}));
    EXPECT_TRUE((pending == std::vector{tasks[0], tasks[2]}));
    gate.set_result();
    EXPECT_EQ((co_await wait(std::move(pending))).done.size(), 2U);
  });
}

TEST(wait, for_an_exception_returns_at_the_first_failure) {
  on_loops([]() -> Coro<> {
    auto gate = create_future<>();
    std::vector<Task<int>> tasks{create_task(give_when(gate, 0)), create_task(give(1)),
                                 create_task(fail_after_yields(3))};
    auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
    EXPECT_TRUE((pending == std::vector{tasks[0]}));
    EXPECT_EQ(done.size(), 2U);
    EXPECT_THROW((void)tasks[2].result(), std::runtime_error);
    gate.set_result();
    co_await tasks[0];
  });
}

TEST(wait, for_an_exception_waits_for_all_if_nobody_fails) {
  on_loops([]() -> Coro<> {
    std::vector<Task<int>> tasks{create_task(give(0, 3)), create_task(give(1))};
    auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
    EXPECT_EQ(done.size(), 2U);
    EXPECT_TRUE(pending.empty());
  });
}

TEST(wait, for_an_exception_does_not_count_a_cancelled_task) {
  on_loops([]() -> Coro<> {
    auto gate = create_future<>();
    std::vector<Task<int>> tasks{create_task(give_when(gate, 0)), create_task(give_after(1h, 1))};
    auto waiter = create_task(wait(tasks, {.return_when = FIRST_EXCEPTION}));
    co_await kit::yield(2);
    tasks[1].cancel();
    co_await thrown_by<CancelledError>(tasks[1]);
    co_await kit::yield(3);
    EXPECT_FALSE(waiter.done());
    gate.set_result();
    EXPECT_EQ((co_await waiter).done.size(), 2U);
  });
}

TEST(wait, never_throws_for_the_tasks) {
  on_loops([]() -> Coro<> {
    std::vector<Task<int>> tasks{create_task(fail_after_yields()), create_task(give_after(1h, 1))};
    tasks[1].cancel();
    auto [done, pending] = co_await wait(tasks);
    EXPECT_EQ(done.size(), 2U);
    EXPECT_NE(tasks[0].exception(), nullptr);
    EXPECT_TRUE(tasks[1].cancelled());
  });
}

TEST(wait, returns_at_the_timeout_and_cancels_nobody) {
  on_loops([]() -> Coro<> {
    auto gate = create_future<>();
    std::vector<Task<int>> tasks{create_task(give(1)), create_task(give_when(gate, 2))};
    for (const auto when : {ALL_COMPLETED, FIRST_EXCEPTION}) {
      auto [done, pending] = co_await wait(tasks, {.timeout = 2ms, .return_when = when});
      EXPECT_TRUE((done == std::vector{tasks[0]}));
      EXPECT_TRUE((pending == std::vector{tasks[1]}));
    }
    EXPECT_EQ(tasks[1].cancelling(), 0);
    EXPECT_EQ(current_task().cancelling(), 0);
    gate.set_result();
    EXPECT_EQ(co_await tasks[1], 2);
  });
}

TEST(wait, with_a_timeout_of_zero_or_less_looks_and_lets_others_run_once) {
  on_one_loop([]() -> Coro<> {
    for (const Duration limit : {Duration(0), Duration(-1s)}) {
      auto quick = create_task(give(1));
      auto slow = create_task(give_after(1h, 2));
      auto [done, pending] = co_await wait({quick, slow}, {.timeout = limit});
      EXPECT_TRUE((done == std::vector{quick}));
      EXPECT_TRUE((pending == std::vector{slow}));
      slow.cancel();
    }
  });
}

TEST(wait, lets_others_run_though_all_are_done) {
  on_one_loop([]() -> Coro<> {
    auto done_task = create_task(give(1));
    co_await done_task;
    bool ran = false;
    auto other = create_task([&]() -> Coro<> {
      ran = true;
      co_return;
    });
    co_await wait({done_task}, {.return_when = FIRST_COMPLETED});
    EXPECT_TRUE(ran);
    co_await other;
  });
}

TEST(wait, gives_each_once_in_input_order) {
  on_loops([]() -> Coro<> {
    auto a = create_task(give(1, 2));
    auto b = create_task(give(2));
    auto [done, pending] = co_await wait(std::vector{b, a, b, a, a});
    EXPECT_TRUE((done == std::vector{b, a}));
    EXPECT_TRUE(pending.empty());
  });
}

TEST(wait, takes_futures) {
  on_loops([]() -> Coro<> {
    std::vector<Future<int>> futures{create_future<int>(), create_future<int>()};
    futures[1].set_result(4);
    auto [done, pending] = co_await wait(futures, {.return_when = FIRST_COMPLETED});
    EXPECT_TRUE((done == std::vector{futures[1]}));
    EXPECT_EQ(done[0].result(), 4);
    EXPECT_TRUE((pending == std::vector{futures[0]}));
  });
}

TEST(wait, takes_tasks_of_mixed_types_as_task_refs) {
  on_loops([]() -> Coro<> {
    auto number = create_task(give(1, 2));
    auto nothing = create_task(sleep(1ms));
    auto [done, pending] = co_await wait({number, nothing});
    EXPECT_TRUE((done == std::vector<TaskRef>{number, nothing}));
    const std::vector<TaskRef> refs{nothing, number};
    EXPECT_TRUE((co_await wait(refs)).done == refs);
  });
}

TEST(wait, takes_any_range_of_handles) {
  on_loops([]() -> Coro<> {
    const std::array<Task<int>, 2> tasks{create_task(give(1, 2)), create_task(give(2))};
    EXPECT_EQ((co_await wait(tasks)).done.size(), 2U);
    EXPECT_EQ((co_await wait(std::span(tasks))).done.size(), 2U);
    EXPECT_EQ((co_await wait(std::set<TaskRef>(tasks.begin(), tasks.end()))).done.size(), 2U);
  });
}

TEST(wait, refuses_nothing_and_empty_handles) {
  on_one_loop([]() -> Coro<> {
    EXPECT_THROW((void)wait(std::vector<Task<int>>()), std::invalid_argument);
    EXPECT_THROW((void)wait(std::vector<TaskRef>(2)), std::invalid_argument);
    auto task = create_task(give(1));
    EXPECT_THROW((void)wait({task, Task<int>()}), std::invalid_argument);
    co_await task;
  });
}

TEST(wait, for_the_end_of_its_own_task_is_refused) {
  on_one_loop([]() -> Coro<> {
    auto other = create_task(give(1));
    co_await thrown_by<std::runtime_error>(wait({current_task(), TaskRef(other)}));
    auto [done, pending] =
        co_await wait({current_task(), TaskRef(other)}, {.return_when = FIRST_COMPLETED});
    EXPECT_TRUE((done == std::vector<TaskRef>{other}));
  });
}

TEST(wait, leaves_the_tasks_alone_when_it_is_cancelled) {
  on_loops([]() -> Coro<> {
    auto gate = create_future<>();
    std::vector<Task<int>> tasks{create_task(give_when(gate, 1)), create_task(give_when(gate, 2))};
    auto waiter = create_task(wait(tasks));
    co_await kit::until([&] { return TaskRef(waiter).get()->suspended(); });
    waiter.cancel("enough");
    EXPECT_EQ(co_await thrown_by<CancelledError>(waiter), "enough");
    for (auto& task : tasks) EXPECT_EQ(task.cancelling(), 0);
    gate.set_result();
    EXPECT_EQ(co_await tasks[0] + co_await tasks[1], 3);
  });
}

TEST(wait, is_ended_by_a_scope_and_a_time_limit) {
  on_loops([]() -> Coro<> {
    auto task = create_task(give_after(1h, 1));
    auto result =
        co_await move_on_after(1ms, [&]() -> Coro<> { co_await wait({task}, {.timeout = 1h}); });
    EXPECT_TRUE(result.cancelled_caught());
    co_await thrown_by<TimeoutError>(wait_for(wait({task}), 1ms));
    EXPECT_FALSE(task.done());
    EXPECT_EQ(task.cancelling(), 0);
    task.cancel();
  });
}

TEST(wait, does_not_count_as_looking_at_an_exception) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    {
      auto task = create_task(fail_after_yields());
      co_await wait({task});
    }
    EXPECT_EQ(reports.count("never retrieved"), 1) << reports.text();
  });
}

TEST(wait, leaves_no_trace_on_a_task_that_lives_long) {
  on_loops([]() -> Coro<> {
    auto gate = create_future<>();
    auto slow = create_task(give_when(gate, 1));
    for (int i = 0; i < 3000; ++i) {
      auto quick = create_task(give(i));
      auto [done, pending] = co_await wait({slow, quick}, {.return_when = FIRST_COMPLETED});
      EXPECT_TRUE((done == std::vector{quick}));
    }
    std::size_t waiters = 0;
    (void)TaskRef(slow).get()->completion().remove_if([&](detail::FutureWaiter&) {
      ++waiters;
      return false;
    });
    EXPECT_EQ(waiters, 0U);
    gate.set_result();
    co_await slow;
  });
}

TEST(wait, survives_tasks_that_end_while_time_is_up) {
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 300; ++i) {
      std::vector<Task<int>> tasks;
      for (int k = 0; k < 4; ++k)
        tasks.push_back(create_task(give_after(std::chrono::microseconds(40 + k % 2), k)));
      auto [done, pending] =
          co_await wait(tasks, {.timeout = std::chrono::microseconds(40),
                                .return_when = i % 2 == 0 ? FIRST_COMPLETED : ALL_COMPLETED});
      EXPECT_EQ(done.size() + pending.size(), 4U);
      for (auto& task : done) EXPECT_TRUE(task.done());
      if (!pending.empty()) co_await wait(pending);
    }
  });
}

}  // namespace
