// Deadlines of cancel scopes (Trio): move_on_after, fail_after, and moving them.
#include <atomic>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

TimePoint now() { return get_running_loop().time(); }

}  // namespace

SCENARIO(move_on_after_ends_a_body_that_takes_too_long) {
  auto scope = co_await move_on_after(ticks(2), []() -> Coro<> {
    co_await tick(100);
    log("never");
  });
  log("caught", scope.cancelled_caught(), "at", passed());
}

SCENARIO(move_on_after_leaves_a_quick_body_alone) {
  bool called = true;
  auto result = co_await move_on_after(ticks(5), [&](CancelScope& scope) -> Coro<> {
    co_await tick(1);
    log("body ends");
    called = scope.cancel_called();
  });
  co_await tick(10);
  log("called", called, "caught", result.cancelled_caught());
}

SCENARIO(move_on_at_names_a_point_in_time) {
  auto scope = co_await move_on_at(now() + ticks(3), []() -> Coro<> { co_await tick(100); });
  log("caught", scope.cancelled_caught(), "at", passed());
}

SCENARIO(move_on_after_zero_is_over_at_the_first_suspension) {
  auto scope = co_await move_on_after(0s, []() -> Coro<> {
    log("begins");
    co_await tick(100);
    log("never");
  });
  log("caught", scope.cancelled_caught(), "at", passed());
}

SCENARIO(fail_after_raises_when_time_is_up) {
  auto run = fail_after(ticks(2), []() -> Coro<> { co_await tick(100); });
  log(co_await outcome(std::move(run)), "at", passed());
}

SCENARIO(fail_after_leaves_a_quick_body_alone) {
  auto run = fail_after(ticks(5), []() -> Coro<std::string> {
    co_await tick(1);
    co_return "value";
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(fail_after_lets_other_exceptions_through) {
  auto run = fail_after(ticks(5), []() -> Coro<> {
    throw ValueError("own");
    co_return;
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(fail_after_that_is_cancelled_by_an_outer_scope_does_not_fail) {
  auto outer = co_await move_on_after(ticks(1), []() -> Coro<> {
    co_await fail_after(ticks(5), []() -> Coro<> { co_await tick(100); });
    log("never");
  });
  log("caught", outer.cancelled_caught());
}

SCENARIO(the_nearest_deadline_ends_its_own_scope) {
  auto outer = co_await move_on_after(ticks(5), []() -> Coro<> {
    auto inner = co_await move_on_after(ticks(2), []() -> Coro<> { co_await tick(100); });
    log("inner caught", inner.cancelled_caught(), "at", passed());
    co_await tick(1);
    log("outer goes on");
  });
  log("outer caught", outer.cancelled_caught());
}

SCENARIO(an_outer_deadline_ends_both) {
  bool inner_caught = false;
  auto outer = co_await move_on_after(ticks(2), [&]() -> Coro<> {
    auto inner = co_await move_on_after(ticks(5), []() -> Coro<> { co_await tick(100); });
    inner_caught = inner.cancelled_caught();
    log("never");
  });
  log("inner caught", inner_caught, "outer caught", outer.cancelled_caught(), "at", passed());
}

SCENARIO(a_deadline_can_be_put_off) {
  auto result = co_await move_on_after(ticks(2), [](CancelScope& scope) -> Coro<> {
    scope.set_deadline(scope.deadline() + ticks(3));
    co_await tick(4);
    log("not yet at", passed());
    co_await tick(100);
  });
  log("caught", result.cancelled_caught(), "at", passed());
}

SCENARIO(a_deadline_can_be_brought_forward) {
  auto result = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
    scope.set_deadline(now() + ticks(1));
    co_await tick(100);
  });
  log("caught", result.cancelled_caught(), "at", passed());
}

SCENARIO(a_deadline_can_be_set_by_another_task) {
  std::atomic<CancelScope*> inside{nullptr};
  auto sleeper = [&]() -> Coro<> {
    auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      inside = &scope;
      co_await tick(100);
    });
    log("caught", result.cancelled_caught(), "at", passed());
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(sleeper());
    co_await tick();
    inside.load()->set_deadline(now() + ticks(2));
  });
}

SCENARIO(a_deadline_in_the_past_cancels) {
  auto body = []() -> Coro<> {
    co_await tick();
    log("never");
  };
  auto result = co_await with_cancel_scope(body, {.deadline = now() - ticks(1)});
  log("caught", result.cancelled_caught());
}

SCENARIO(a_passed_deadline_cannot_be_taken_back) {
  auto result = co_await move_on_after(ticks(1), [](CancelScope& scope) -> Coro<> {
    try {
      co_await tick(100);
    } catch (...) {
      scope.set_deadline(now() + ticks(50));
      log("called", scope.cancel_called());
      throw;
    }
  });
  log("caught", result.cancelled_caught(), "at", passed());
}

SCENARIO(a_deadline_outlives_a_swallowed_cancel) {
  auto result = co_await move_on_after(ticks(1), []() -> Coro<> {
    for (int i = 0; i < 3; ++i) {
      try {
        co_await tick(100);
      } catch (const CancelledError&) {
        log("raised at", passed());
      }
    }
  });
  log("caught", result.cancelled_caught());
}

SCENARIO(sleep_until_sleeps_to_a_point_in_time) {
  const auto when = now() + ticks(3);
  co_await tick(1);
  co_await sleep_until(when);
  log("at", passed());
  co_await sleep_until(when);
  log("at", passed());
}

SCENARIO(sleep_forever_ends_with_its_scope) {
  (void)co_await move_on_after(ticks(4), []() -> Coro<> { co_await sleep_forever(); });
  log("at", passed());
}

SCENARIO(retries_each_with_a_limit) {
  auto flaky = [](int attempt) -> Coro<std::string> {
    co_await tick(attempt < 2 ? 10 : 1);
    co_return "answer of attempt " + std::to_string(attempt);
  };
  for (int attempt = 0; attempt < 5; ++attempt) {
    auto scope =
        co_await move_on_after(ticks(2), [&]() -> Coro<> { log(co_await flaky(attempt)); });
    if (!scope.cancelled_caught()) break;
    log("attempt", attempt, "gave up at", passed());
  }
}

SCENARIO(a_scope_around_a_timeout_ends_it_as_a_scope) {
  auto scope = co_await move_on_after(ticks(1), []() -> Coro<> {
    co_await timeout(ticks(5), []() -> Coro<> { co_await tick(100); });
    log("never");
  });
  log("scope caught", scope.cancelled_caught(), "at", passed());
}
