// Cancel scopes with deadlines, and together with timeouts.
#include <atomic>
#include <coil/cancel_scope.hpp>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

// True if awaiting a short sleep here throws.
Coro<bool> is_cancelled_here() {
  try {
    co_await sleep(10us);
  } catch (const CancelledError&) {
    co_return true;
  }
  co_return false;
}

TEST(cancel_scope, ends_at_its_deadline) {
  on_loops([]() -> Coro<> {
    const auto start = get_running_loop().time();
    auto result = co_await with_cancel_scope(
        [](CancelScope&) -> Coro<> { co_await sleep_forever(); }, {.deadline = start + 2ms});
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_GE(get_running_loop().time(), start + 2ms);
    EXPECT_TRUE((co_await move_on_after(1ms, []() -> Coro<> {
                  co_await sleep_forever();
                })).cancelled_caught());
    EXPECT_TRUE((co_await move_on_at(start, []() -> Coro<> {
                  co_await sleep_forever();
                })).cancelled_caught());
    EXPECT_EQ((co_await move_on_after(10s, []() -> Coro<int> { co_return 1; })).value(), 1);
    EXPECT_EQ((co_await move_on_after(std::nullopt, []() -> Coro<int> { co_return 2; })).value(),
              2);
  });
}

TEST(cancel_scope, moves_its_deadline) {
  on_loops([]() -> Coro<> {
    auto later = co_await move_on_after(2ms, [](CancelScope& scope) -> Coro<> {
      scope.set_deadline(TimePoint::max());
      co_await sleep(4ms);
    });
    EXPECT_FALSE(later.cancelled_caught());
    auto sooner = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
      scope.set_deadline(get_running_loop().time() + 1ms);
      co_await sleep_forever();
    });
    EXPECT_TRUE(sooner.cancelled_caught());
    auto past = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
      scope.set_deadline(get_running_loop().time() - 1ms);
      EXPECT_TRUE(scope.cancel_called());
      co_await sleep_forever();
    });
    EXPECT_TRUE(past.cancelled_caught());
  });
}

TEST(cancel_scope, takes_the_nearest_of_nested_deadlines) {
  on_loops([]() -> Coro<> {
    const auto now = get_running_loop().time();
    EXPECT_EQ(current_effective_deadline(), TimePoint::max());
    auto outer = co_await move_on_at(now + 2ms, [&]() -> Coro<> {
      EXPECT_EQ(current_effective_deadline(), now + 2ms);
      auto inner = co_await move_on_at(now + 10s, [&]() -> Coro<> {
        EXPECT_EQ(current_effective_deadline(), now + 2ms);
        co_await sleep_forever();
      });
      EXPECT_FALSE(inner.cancelled_caught());
    });
    EXPECT_TRUE(outer.cancelled_caught());
    (void)co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
      scope.cancel();
      EXPECT_EQ(current_effective_deadline(), TimePoint::min());
      co_return;
    });
  });
}

TEST(cancel_scope, fail_after_throws_timeout_error) {
  on_loops([]() -> Coro<> {
    co_await thrown_by<TimeoutError>(fail_after(1ms, []() -> Coro<> { co_await sleep_forever(); }));
    co_await thrown_by<TimeoutError>(fail_at(
        get_running_loop().time() - 1s, [](CancelScope&) -> Coro<> { co_await sleep_forever(); }));
    EXPECT_EQ(co_await fail_after(10s, []() -> Coro<int> { co_return 3; }), 3);
    EXPECT_FALSE(co_await is_cancelled_here());
  });
}

TEST(cancel_scope, of_a_limit_that_is_over_throws_at_the_first_suspension) {
  on_loops([]() -> Coro<> {
    for (const Duration limit : {Duration(0), Duration(-1h)}) {
      int steps = 0;
      auto result = co_await move_on_after(limit, [&](CancelScope& scope) -> Coro<> {
        ++steps;
        EXPECT_TRUE(scope.cancel_called());
        co_await sleep_forever();
        ++steps;
      });
      EXPECT_TRUE(result.cancelled_caught());
      EXPECT_EQ(steps, 1);
      co_await thrown_by<TimeoutError>(
          fail_after(limit, []() -> Coro<> { co_await checkpoint(); }));
    }
  });
}

TEST(cancel_scope, moves_on_and_fails_at_a_point_in_time) {
  on_loops([]() -> Coro<> {
    const auto soon = [] { return get_running_loop().time() + 1ms; };
    auto moved = co_await move_on_at(soon(), [](CancelScope& scope) -> Coro<int> {
      EXPECT_NE(scope.deadline(), TimePoint::max());
      co_await sleep_forever();
      co_return 1;
    });
    EXPECT_TRUE(moved.cancelled_caught());
    co_await thrown_by<TimeoutError>(fail_at(soon(), []() -> Coro<> { co_await sleep_forever(); }));
    EXPECT_EQ(co_await fail_at(TimePoint::max(), []() -> Coro<int> { co_return 2; }), 2);
    EXPECT_EQ((co_await move_on_at(TimePoint::max(), []() -> Coro<int> { co_return 3; })).value(),
              3);
  });
}

TEST(cancel_scope, that_fails_after_a_time_throws_timeout_error_for_any_cancel_of_its_own) {
  on_loops([]() -> Coro<> {
    co_await thrown_by<TimeoutError>(fail_after(1h, [](CancelScope& scope) -> Coro<> {
      scope.cancel();
      co_await sleep_forever();
    }));
    EXPECT_EQ(co_await thrown_by<std::logic_error>(fail_after(1h,
                                                              []() -> Coro<> {
                                                                co_await sleep(0ms);
                                                                throw std::logic_error("own");
                                                              })),
              "own");
  });
}

TEST(cancel_scope, hands_out_cancellers_that_are_copied_and_may_be_empty) {
  on_loops([]() -> Coro<> {
    Canceller none;
    none.cancel();
    auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      none = scope.canceller();
      const Canceller copy = none;
      copy.cancel("by the copy");
      EXPECT_EQ(co_await thrown_by<CancelledError>(sleep_forever()), "by the copy");
      co_await sleep_forever();
    });
    EXPECT_TRUE(result.cancelled_caught());
    none();  // harmless
  });
}

TEST(cancel_scope, does_not_count_in_cancelling) {
  on_loops([]() -> Coro<> {
    (void)co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
      scope.cancel();
      EXPECT_EQ(current_task().cancelling(), 0);
      co_await thrown_by<CancelledError>(sleep_forever());
      EXPECT_EQ(current_task().cancelling(), 0);
    });
  });
}

TEST(cancel_scope, delivers_nothing_to_an_await_that_does_not_suspend) {
  on_loops([]() -> Coro<> {
    auto done = create_future<int>();
    done.set_result(4);
    (void)co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      scope.cancel();
      EXPECT_EQ(co_await done, 4);
      EXPECT_EQ(co_await []() -> Coro<int> { co_return 5; }(), 5);
      co_await thrown_by<CancelledError>(checkpoint());
      co_await thrown_by<CancelledError>(sleep(0ms));
    });
  });
}

TEST(cancel_scope, mixes_with_timeouts) {
  on_loops([]() -> Coro<> {
    auto result = co_await move_on_after(1ms, []() -> Coro<> {
      co_await timeout(10s, []() -> Coro<> { co_await sleep_forever(); });
    });
    EXPECT_TRUE(result.cancelled_caught());
    co_await thrown_by<TimeoutError>(timeout(1ms, []() -> Coro<> {
      auto inner = co_await move_on_after(10s, []() -> Coro<> { co_await sleep_forever(); });
      ADD_FAILURE() << "the scope took the timeout: " << inner.cancelled_caught();
    }));
    EXPECT_EQ(current_task().cancelling(), 0);
    EXPECT_FALSE(co_await is_cancelled_here());
  });
}

TEST(cancel_scope, gets_its_cancellation_out_of_an_expired_timeout) {
  on_loops([]() -> Coro<> {
    auto result = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
      co_await timeout(1ms, [&]() -> Coro<> {
        try {
          co_await sleep_forever();
        } catch (const CancelledError&) {
          scope.cancel();
        }
        co_await sleep_forever();
      });
    });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(cancel_scope, deadline_races_with_the_end_of_its_body) {
  on_loops([]() -> Coro<> {
    int caught = 0;
    for (int i = 0; i < 300; ++i) {
      auto result = co_await move_on_after(std::chrono::microseconds(i % 60),
                                           []() -> Coro<> { co_await sleep(30us); });
      caught += result.cancelled_caught() ? 1 : 0;
      EXPECT_FALSE(co_await is_cancelled_here());
    }
    EXPECT_GT(caught, 0);
  });
}

TEST(cancel_scope, does_not_nest_without_end_on_the_stack) {
  on_one_loop([]() -> Coro<> {
    struct Nest {
      static Coro<> descend(int depth) {
        if (depth == 0) {
          co_await sleep_forever();
        } else {
          (void)co_await with_cancel_scope([=](CancelScope&) { return descend(depth - 1); });
        }
      }
    };
    auto result = co_await move_on_after(1ms, []() -> Coro<> { co_await Nest::descend(5'000); });
    EXPECT_TRUE(result.cancelled_caught());
  });
}

}  // namespace
