// shield: the wait can be cancelled, what is waited for cannot.
#include <coil/future.hpp>
#include <coil/shield.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <thread>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

Coro<std::string> give(int yields = 0) {
  co_await kit::yield(yields);
  co_return std::string(40, 's');
}

TEST(shield, gives_the_result_and_throws_the_exception) {
  on_loops([]() -> Coro<> {
    auto task = create_task(give(3));
    EXPECT_EQ(co_await shield(task), co_await shield(task));
    EXPECT_EQ(co_await shield(give()), task.result());
    EXPECT_EQ(
        *co_await shield([](std::unique_ptr<int> p) -> Coro<std::unique_ptr<int>> { co_return p; },
                         std::make_unique<int>(2)),
        2);
    co_await shield(sleep(1ms));
    EXPECT_EQ(co_await thrown_by<std::logic_error>(shield([]() -> Coro<> {
                co_await kit::yield();
                throw std::logic_error("no");
              })),
              "no");
  });
}

TEST(shield, starts_a_coroutine_when_it_is_called) {
  on_one_loop([]() -> Coro<> {
    bool ran = false;
    auto shielded = shield([&]() -> Coro<> {
      ran = true;
      co_return;
    });
    co_await kit::yield();
    EXPECT_TRUE(ran);
    co_await std::move(shielded);
  });
}

TEST(shield, leaves_the_inner_one_running_when_the_outer_is_cancelled) {
  on_loops([]() -> Coro<> {
    auto gate = create_future<int>();
    auto inner = create_task([gate]() -> Coro<int> { co_return co_await gate; });
    auto outer = create_task([inner]() -> Coro<int> { co_return co_await shield(inner); });
    co_await kit::until([&] { return TaskRef(outer).get()->suspended(); });
    outer.cancel("outer only");
    EXPECT_EQ(co_await thrown_by<CancelledError>(outer), "outer only");
    EXPECT_FALSE(inner.done());
    EXPECT_EQ(inner.cancelling(), 0);
    gate.set_result(4);
    EXPECT_EQ(co_await inner, 4);
  });
}

TEST(shield, is_not_entered_by_a_cancelled_task) {
  on_loops([]() -> Coro<> {
    auto gate = create_future<>();
    auto outer = create_task([gate]() -> Coro<> {
      current_task().cancel();
      co_await shield(gate);
    });
    co_await thrown_by<CancelledError>(outer);
    EXPECT_FALSE(gate.done());
    gate.set_result();
  });
}

TEST(shield, passes_on_that_the_inner_one_was_cancelled) {
  on_loops([]() -> Coro<> {
    auto inner = create_task(sleep_forever());
    auto outer = create_task([inner]() -> Coro<> { co_await shield(inner); });
    co_await kit::yield(3);
    inner.cancel("inner");
    EXPECT_EQ(co_await thrown_by<CancelledError>(outer), "inner");
    EXPECT_EQ(outer.cancelling(), 0);
  });
}

// The cancel has been taken when the inner one ends: it must not vanish in its result.
TEST(shield, keeps_a_cancel_that_came_before_the_result) {
  on_one_loop([]() -> Coro<> {
    auto gate = create_future<>();
    auto outer = create_task([gate]() -> Coro<> { co_await shield(gate); });
    co_await kit::yield();
    outer.cancel();
    gate.set_result();
    co_await thrown_by<CancelledError>(outer);
  });
}

TEST(shield, loses_no_cancel_in_a_race_with_the_result) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 300; ++round) {
      auto gate = create_future<>();
      auto outer = create_task([gate]() -> Coro<> {
        co_await shield(gate);
        co_await sleep_forever();  // a cancel that came too late for the shield comes here
      });
      co_await kit::yield(round % 3);
      std::thread setter([gate] { gate.set_result(); });
      outer.cancel();
      co_await thrown_by<CancelledError>(outer);
      setter.join();
    }
  });
}

TEST(shield, outlives_a_time_limit) {
  on_loops([]() -> Coro<> {
    auto gate = create_future<int>();
    auto inner = create_task([gate]() -> Coro<int> { co_return co_await gate; });
    co_await thrown_by<TimeoutError>(wait_for(shield(inner), 2ms));
    EXPECT_FALSE(inner.done());
    gate.set_result(6);
    EXPECT_EQ(co_await wait_for(shield(inner), 10s), 6);
  });
}

TEST(shield, reports_a_failure_that_nobody_waited_for_any_more) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    auto gate = create_future<>();
    {
      auto outer = create_task([gate]() -> Coro<> {
        co_await shield([gate]() -> Coro<> {
          co_await gate;
          throw std::runtime_error("unheard");
        });
      });
      co_await kit::yield(3);
      outer.cancel();
      co_await thrown_by<CancelledError>(outer);
    }
    EXPECT_TRUE(reports.empty());
    gate.set_result();
    co_await kit::yield(5);
    EXPECT_EQ(reports.count("never retrieved"), 1) << reports.text();
  });
}

}  // namespace
