// Task::cancel beside a scope, a group, a timeout or another cancel: the edge is delivered once,
// and nothing else takes it.
#include <chrono>
#include <coil/cancel_scope.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <functional>
#include <kit/loops.hpp>
#include <stdexcept>

using namespace coil;
using namespace std::chrono_literals;

namespace {

// What becomes of a task that is cancelled, and whose scope is cancelled as well.
struct Outcome {
  bool caught_by_scope = false;
  bool cancelled_after = false;
};

Coro<> in_scope(CancelScope*& scope, Outcome& outcome, std::function<Coro<>()> body) {
  const auto result = co_await with_cancel_scope([&](CancelScope& inner) -> Coro<> {
    scope = &inner;
    co_await body();
  });
  outcome.caught_by_scope = result.cancelled_caught();
  try {
    co_await sleep(1ms);
  } catch (const CancelledError&) {
    outcome.cancelled_after = true;
    throw;
  }
}

Coro<> cancel_and_then_its_scope(std::function<Coro<>()> body) {
  CancelScope* scope = nullptr;
  Outcome outcome;
  auto task = create_task(in_scope(scope, outcome, std::move(body)), {.affinity = Affinity::loop});
  while (scope == nullptr) co_await sleep(1ms);
  co_await sleep(1ms);
  EXPECT_TRUE(task.cancel("stop"));
  scope->cancel("scope");
  EXPECT_THROW(co_await task, CancelledError);
  EXPECT_FALSE(outcome.caught_by_scope);
  EXPECT_TRUE(task.cancelled());
}

TEST(edge_and_level, an_edge_on_its_way_through_a_future_is_not_the_scopes_to_catch) {
  kit::on_one_loop([]() -> Coro<> {
    co_await cancel_and_then_its_scope([]() -> Coro<> { co_await create_task(sleep(1h)); });
  });
}

TEST(edge_and_level, an_edge_on_its_way_through_a_gather_is_not_the_scopes_to_catch) {
  kit::on_one_loop([]() -> Coro<> {
    co_await cancel_and_then_its_scope([]() -> Coro<> { co_await gather(sleep(1h), sleep(1h)); });
  });
}

TEST(edge_and_level, an_edge_that_comes_while_a_group_unwinds_for_a_scope_is_delivered) {
  kit::on_one_loop([]() -> Coro<> {
    CancelScope* scope = nullptr;
    Outcome outcome;
    auto gate = create_future<>();
    auto task = create_task(in_scope(scope, outcome, [gate]() -> Coro<> {
      co_await with_task_group([gate](TaskGroup& group) -> Coro<> {
        group.create_task([gate]() -> Coro<> {
          bool cancelled = false;
          try {
            co_await sleep(1h);
          } catch (const CancelledError&) {
            cancelled = true;
          }
          if (cancelled)
            (void)co_await with_cancel_scope([gate]() -> Coro<> { co_await gate; },
                                             {.shield = true});
        });
        co_await sleep(1h);
      });
    }));
    while (scope == nullptr) co_await sleep(1ms);
    co_await sleep(1ms);
    scope->cancel("scope");
    co_await sleep(1ms);
    EXPECT_TRUE(task.cancel("stop"));
    gate.set_result();
    EXPECT_THROW(co_await task, CancelledError);
    EXPECT_TRUE(outcome.caught_by_scope);
    EXPECT_TRUE(outcome.cancelled_after);
  });
}

// The task is in the middle of a clean-up, so cancelling() is one already.
TEST(edge_and_level, a_timeouts_own_edge_does_not_leave_its_block) {
  kit::on_one_loop([]() -> Coro<> {
    bool cleaned_up = false;
    auto task = create_task([&]() -> Coro<> {
      bool cancelled = false;
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        cancelled = true;
      }
      EXPECT_TRUE(cancelled);
      for (int i = 0; i < 20; ++i) {
        const TimePoint when = get_running_loop().time() + 1ms;
        try {
          co_await timeout_at(when, [&]() -> Coro<> { co_await sleep_until(when); });
        } catch (const TimeoutError&) {
        }
        co_await sleep(0ms);
      }
      cleaned_up = true;
    });
    co_await sleep(1ms);
    task.cancel("once");
    co_await task;
    EXPECT_TRUE(cleaned_up);
  });
}

TEST(edge_and_level, an_edge_that_a_gathers_child_turned_into_an_error_is_not_delivered_again) {
  kit::on_one_loop([]() -> Coro<> {
    const auto child = []() -> Coro<> {
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        throw std::runtime_error("child");
      }
    };
    auto inner = create_task([child]() -> Coro<> {
      try {
        co_await gather(child());
      } catch (const std::runtime_error&) {
      }
    });
    auto outer = create_task([inner]() -> Coro<> {
      co_await inner;
      co_await sleep(1ms);
    });
    co_await sleep(1ms);
    outer.cancel();
    co_await outer;
    EXPECT_FALSE(outer.cancelled());
  });
}

TEST(edge_and_level, a_task_that_cancels_itself_and_returns_is_cancelled) {
  kit::on_loops([]() -> Coro<> {
    auto task = create_task([]() -> Coro<int> {
      current_task().cancel("myself");
      co_return 1;
    });
    EXPECT_THROW(co_await task, CancelledError);
    EXPECT_TRUE(task.cancelled());
  });
}

TEST(edge_and_level, a_result_that_was_there_before_the_cancel_is_not_lost) {
  kit::on_one_loop([]() -> Coro<> {
    auto gate = create_future<int>();
    auto task = create_task([gate]() -> Coro<int> { co_return co_await gate; });
    co_await kit::yield();
    gate.set_result(7);
    EXPECT_TRUE(task.cancel());
    EXPECT_EQ(co_await task, 7);
  });
}

// Behind a shield the task does not see its scope's cancellation, but what it awaits next has.
Coro<> await_what_the_scope_cancelled(std::function<Coro<>(Task<>)> await) {
  bool behind = false;
  const auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      auto task = group.create_task([]() -> Coro<> { co_await sleep_forever(); });
      co_await with_cancel_scope(
          [&]() -> Coro<> {
            co_await kit::yield();
            scope.cancel();
            co_await kit::until([&] { return task.done(); });
          },
          {.shield = true});
      co_await await(task);
      behind = true;
    });
  });
  EXPECT_TRUE(result.cancelled_caught());
  EXPECT_FALSE(behind);
}

TEST(edge_and_level, a_scope_catches_what_it_cancelled_in_a_task_that_is_awaited) {
  kit::on_loops([]() -> Coro<> {
    co_await await_what_the_scope_cancelled([](Task<> task) -> Coro<> { co_await task; });
  });
}

TEST(edge_and_level, a_scope_catches_what_it_cancelled_in_a_task_that_is_gathered) {
  kit::on_loops([]() -> Coro<> {
    co_await await_what_the_scope_cancelled([](Task<> task) -> Coro<> { co_await gather(task); });
  });
}

}  // namespace
