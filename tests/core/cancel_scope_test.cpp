// Cancel scopes: level-triggered, nested, shielded, from any thread.
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

TEST(cancel_scope, gives_the_value_of_its_body) {
  on_loops([]() -> Coro<> {
    auto result = co_await with_cancel_scope([](CancelScope& scope) -> Coro<int> {
      EXPECT_FALSE(scope.cancel_called());
      EXPECT_FALSE(scope.shield());
      EXPECT_EQ(scope.deadline(), TimePoint::max());
      co_await kit::yield();
      co_return 4;
    });
    EXPECT_FALSE(result.cancelled_caught());
    EXPECT_EQ(result.value(), 4);
    auto nothing = co_await with_cancel_scope([]() -> Coro<> { co_return; });
    EXPECT_FALSE(nothing.cancelled_caught());
  });
}

TEST(cancel_scope, catches_its_own_cancellation) {
  on_loops([]() -> Coro<> {
    std::string reason;
    auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<int> {
      scope.cancel("enough");
      EXPECT_TRUE(scope.cancel_called());
      try {
        co_await sleep_forever();
      } catch (const CancelledError& error) {
        reason = error.what();
        throw;
      }
      co_return 1;
    });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_THROW((void)result.value(), std::bad_optional_access);
    EXPECT_EQ(reason, "enough");
    EXPECT_EQ(current_task().cancelling(), 0);
    EXPECT_FALSE(co_await is_cancelled_here());
  });
}

TEST(cancel_scope, throws_again_at_every_suspension) {
  on_loops([]() -> Coro<> {
    int thrown = 0;
    auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<int> {
      scope.cancel();
      for (int i = 0; i < 5; ++i) thrown += co_await is_cancelled_here() ? 1 : 0;
      try {
        co_await checkpoint();
      } catch (const CancelledError&) {
        ++thrown;
      }
      co_return 9;
    });
    EXPECT_EQ(thrown, 6);
    EXPECT_FALSE(result.cancelled_caught()) << "the body ended with a value";
    EXPECT_EQ(result.value(), 9);
  });
}

TEST(cancel_scope, keeps_the_first_reason) {
  on_one_loop([]() -> Coro<> {
    (void)co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
      scope.cancel("first");
      scope.cancel("second");
      EXPECT_EQ(co_await thrown_by<CancelledError>(sleep(1ms)), "first");
    });
  });
}

TEST(cancel_scope, interrupts_a_body_that_sleeps) {
  on_loops([]() -> Coro<> {
    CancelScope* inside = nullptr;
    auto task = create_task([&]() -> Coro<bool> {
      auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
        inside = &scope;
        co_await sleep_forever();
      });
      co_return result.cancelled_caught();
    });
    co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
    inside->cancel();
    EXPECT_TRUE(co_await task);
    EXPECT_FALSE(task.cancelled());
  });
}

TEST(cancel_scope, lets_other_exceptions_through) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await thrown_by<std::logic_error>(with_cancel_scope([](CancelScope& s) -> Coro<> {
                s.cancel();
                co_await kit::yield(0);
                throw std::logic_error("mine");
              })),
              "mine");
  });
}

TEST(cancel_scope, lets_a_task_cancel_through) {
  on_loops([]() -> Coro<> {
    auto task = create_task([]() -> Coro<> {
      auto result =
          co_await with_cancel_scope([](CancelScope&) -> Coro<> { co_await sleep_forever(); });
      ADD_FAILURE() << "the scope caught it: " << result.cancelled_caught();
    });
    co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
    task.cancel("edge");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "edge");
  });
}

TEST(cancel_scope, lets_a_task_cancel_through_though_it_is_cancelled_too) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task([]() -> Coro<> {
      auto result = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
        scope.cancel("level");
        current_task().cancel("edge");
        co_await sleep_forever();
      });
      ADD_FAILURE() << "the scope caught it: " << result.cancelled_caught();
    });
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "edge");
    EXPECT_EQ(task.cancelling(), 1);
  });
}

TEST(cancel_scope, lets_a_task_cancel_through_that_came_right_after_its_own) {
  on_one_loop([]() -> Coro<> {
    CancelScope* inside = nullptr;
    auto task = create_task([&]() -> Coro<> {
      auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
        inside = &scope;
        co_await sleep_forever();
      });
      ADD_FAILURE() << "the scope caught it: " << result.cancelled_caught();
    });
    co_await kit::yield(2);
    inside->cancel("level");
    task.cancel("edge");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "edge");
  });
}

TEST(cancel_scope, leaves_a_cancellation_to_the_outer_scope_if_both_are_cancelled) {
  on_loops([]() -> Coro<> {
    bool after_inner = false;
    auto outer = co_await with_cancel_scope([&](CancelScope& o) -> Coro<> {
      auto inner = co_await with_cancel_scope([&](CancelScope& i) -> Coro<> {
        i.cancel();
        o.cancel();
        co_await sleep_forever();
      });
      after_inner = true;
      (void)inner;
    });
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(after_inner);
  });
}

TEST(cancel_scope, is_caught_by_the_outermost_that_was_cancelled) {
  on_loops([]() -> Coro<> {
    bool after_inner = false;
    auto outer = co_await with_cancel_scope([&](CancelScope& o) -> Coro<> {
      auto inner = co_await with_cancel_scope([&](CancelScope&) -> Coro<> {
        o.cancel();
        co_await sleep_forever();
      });
      after_inner = true;
      (void)inner;
    });
    EXPECT_TRUE(outer.cancelled_caught());
    EXPECT_FALSE(after_inner);
    bool inner_caught = false;
    outer = co_await with_cancel_scope([&](CancelScope&) -> Coro<> {
      auto inner = co_await with_cancel_scope([&](CancelScope& i) -> Coro<> {
        i.cancel();
        co_await sleep_forever();
      });
      inner_caught = inner.cancelled_caught();
      EXPECT_FALSE(co_await is_cancelled_here());
    });
    EXPECT_TRUE(inner_caught);
    EXPECT_FALSE(outer.cancelled_caught());
  });
}

TEST(cancel_scope, shields_its_body_from_an_outer_one) {
  on_loops([]() -> Coro<> {
    bool worked = false;
    auto outer = co_await with_cancel_scope([&](CancelScope& o) -> Coro<> {
      o.cancel();
      (void)co_await with_cancel_scope(
          [&](CancelScope& s) -> Coro<> {
            EXPECT_TRUE(s.shield());
            EXPECT_FALSE(co_await is_cancelled_here());
            co_await sleep(1ms);
            worked = true;
          },
          {.shield = true});
      EXPECT_TRUE(co_await is_cancelled_here());
      co_await sleep_forever();
    });
    EXPECT_TRUE(worked);
    EXPECT_TRUE(outer.cancelled_caught());
  });
}

TEST(cancel_scope, may_drop_and_raise_its_shield) {
  on_loops([]() -> Coro<> {
    auto outer = co_await with_cancel_scope([](CancelScope& o) -> Coro<> {
      o.cancel();
      (void)co_await with_cancel_scope([](CancelScope& s) -> Coro<> {
        EXPECT_TRUE(co_await is_cancelled_here());
        s.set_shield(true);
        EXPECT_FALSE(co_await is_cancelled_here());
        s.set_shield(false);
        EXPECT_TRUE(co_await is_cancelled_here());
      });
    });
    EXPECT_FALSE(outer.cancelled_caught());
  });
}

TEST(cancel_scope, that_drops_its_shield_wakes_a_sleeper) {
  on_loops([]() -> Coro<> {
    CancelScope* inside = nullptr;
    auto task = create_task([&]() -> Coro<bool> {
      auto outer = co_await with_cancel_scope([&](CancelScope& o) -> Coro<> {
        o.cancel();
        (void)co_await with_cancel_scope(
            [&](CancelScope& s) -> Coro<> {
              inside = &s;
              co_await sleep_forever();
            },
            {.shield = true});
      });
      co_return outer.cancelled_caught();
    });
    co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
    inside->set_shield(false);
    EXPECT_TRUE(co_await task);
  });
}

TEST(cancel_scope, with_a_shield_still_heeds_itself) {
  on_loops([]() -> Coro<> {
    auto result = co_await with_cancel_scope(
        [](CancelScope& s) -> Coro<> {
          s.cancel();
          co_await sleep_forever();
        },
        {.shield = true});
    EXPECT_TRUE(result.cancelled_caught());
  });
}

TEST(cancel_scope, reaches_all_tasks_of_a_group_inside) {
  on_loops([]() -> Coro<> {
    std::atomic<int> started{0};
    std::atomic<int> cancelled{0};
    auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      co_await with_task_group([&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 8; ++i)
          group.create_task([&]() -> Coro<> {
            ++started;
            try {
              co_await sleep_forever();
            } catch (const CancelledError&) {
            }
            for (int n = 0; n < 3; ++n) cancelled += co_await is_cancelled_here() ? 1 : 0;
            co_await sleep_forever();
          });
        co_await kit::until([&] { return started == 8; });
        scope.cancel();
      });
    });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_EQ(cancelled, 24) << "it is level-triggered in the children too";
  });
}

TEST(cancel_scope, does_not_reach_tasks_outside) {
  on_loops([]() -> Coro<> {
    Task<bool> free;
    (void)co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      free = create_task(is_cancelled_here());
      scope.cancel();
      co_return;
    });
    EXPECT_FALSE(co_await free);
  });
}

TEST(cancel_scope, may_be_cancelled_from_another_thread) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 100; ++i) {
      std::thread thread;
      auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
        thread = std::thread([cancel = scope.canceller()] { cancel.cancel("thread"); });
        co_await kit::yield(i % 3);
        EXPECT_EQ(co_await thrown_by<CancelledError>(sleep_forever()), "thread");
        co_await sleep_forever();
      });
      EXPECT_TRUE(result.cancelled_caught());
      thread.join();
    }
  });
}

TEST(cancel_scope, canceller_is_harmless_after_the_end) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 200; ++i) {
      std::thread thread;
      std::optional<Canceller> kept;
      (void)co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
        kept = scope.canceller();
        thread = std::thread([cancel = *kept] { cancel(); });
        co_await kit::yield(i % 2);
      });
      EXPECT_FALSE(co_await is_cancelled_here());
      kept->cancel("late");
      EXPECT_FALSE(co_await is_cancelled_here());
      thread.join();
    }
  });
}

TEST(checkpoint, lets_others_run_and_delivers_a_cancel) {
  on_one_loop([]() -> Coro<> {
    int ran = 0;
    auto other = create_task([&]() -> Coro<> {
      ++ran;
      co_return;
    });
    co_await checkpoint();
    EXPECT_EQ(ran, 1);
    co_await other;
    auto busy = create_task([&]() -> Coro<> {
      for (;;) {
        ++ran;
        co_await checkpoint();
      }
    });
    co_await kit::yield(3);
    busy.cancel();
    co_await thrown_by<CancelledError>(busy);
    EXPECT_GE(ran, 3);
  });
}

}  // namespace
