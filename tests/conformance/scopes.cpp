// Cancel scopes (Trio): level-triggered, nested, shielded.
#include <atomic>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

// Whether a suspension here throws.
Coro<bool> cancelled_here() {
  try {
    co_await tick();
  } catch (const CancelledError&) {
    co_return true;
  }
  co_return false;
}

}  // namespace

SCENARIO(a_scope_that_is_not_cancelled_changes_nothing) {
  bool called = true;
  auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
    co_await tick();
    log("body ends");
    called = scope.cancel_called();
  });
  log("called", called, "caught", result.cancelled_caught());
}

SCENARIO(a_cancelled_scope_ends_its_body) {
  auto result = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
    scope.cancel();
    log("called", scope.cancel_called());
    co_await tick(100);
    log("never");
  });
  log("caught", result.cancelled_caught());
  log("goes on:", co_await cancelled_here());
}

SCENARIO(every_suspension_of_a_cancelled_scope_raises) {
  auto result = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
    scope.cancel();
    for (int i = 0; i < 3; ++i) log(co_await cancelled_here());
    co_await tick();
    log("never");
  });
  log("caught", result.cancelled_caught());
}

SCENARIO(a_body_that_ends_by_itself_was_not_caught) {
  bool called = false;
  auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
    scope.cancel();
    log(co_await cancelled_here());
    log("the end of the body");
    called = scope.cancel_called();
  });
  log("called", called, "caught", result.cancelled_caught());
}

SCENARIO(cancelling_twice_is_cancelling_once) {
  auto result = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
    scope.cancel();
    scope.cancel();
    co_await tick();
  });
  log("caught", result.cancelled_caught());
}

SCENARIO(other_exceptions_pass_a_cancelled_scope) {
  auto run = with_cancel_scope([](CancelScope& scope) -> Coro<int> {
    scope.cancel();
    throw ValueError("own");
    co_return 0;
  });
  try {
    (void)co_await std::move(run);
  } catch (...) {
    log("raised " + shown(std::current_exception()));
  }
}

SCENARIO(clean_up_in_a_cancelled_scope_cannot_wait) {
  auto result = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
    std::exception_ptr error;
    try {
      scope.cancel();
      co_await tick(100);
    } catch (...) {
      error = std::current_exception();
    }
    log("clean-up begins; cancelled", co_await cancelled_here());
    std::rethrow_exception(error);
  });
  log("caught", result.cancelled_caught(), "at", passed());
}

SCENARIO(clean_up_behind_a_shield_can_wait) {
  auto result = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
    std::exception_ptr error;
    try {
      scope.cancel();
      co_await tick(100);
    } catch (...) {
      error = std::current_exception();
    }
    auto clean_up = []() -> Coro<> {
      co_await tick(2);
      log("cleaned up at", passed());
    };
    (void)co_await with_cancel_scope(clean_up, {.shield = true});
    std::rethrow_exception(error);
  });
  log("caught", result.cancelled_caught());
}

SCENARIO(the_inner_of_two_scopes_is_cancelled_alone) {
  auto outer = co_await with_cancel_scope([](CancelScope&) -> Coro<> {
    auto inner = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
      scope.cancel();
      co_await tick(100);
    });
    log("inner caught", inner.cancelled_caught());
    log("cancelled", co_await cancelled_here());
  });
  log("outer caught", outer.cancelled_caught());
}

SCENARIO(the_outer_of_two_scopes_ends_both) {
  bool inner_caught = false;
  auto outer = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
    auto inner = co_await with_cancel_scope([&](CancelScope&) -> Coro<> {
      scope.cancel();
      co_await tick(100);
    });
    inner_caught = inner.cancelled_caught();
    log("never");
  });
  log("inner caught", inner_caught, "outer caught", outer.cancelled_caught());
}

SCENARIO(if_both_are_cancelled_the_outer_catches) {
  bool inner_caught = false;
  auto outer = co_await with_cancel_scope([&](CancelScope& o) -> Coro<> {
    auto inner = co_await with_cancel_scope([&](CancelScope& i) -> Coro<> {
      i.cancel();
      o.cancel();
      co_await tick(100);
    });
    inner_caught = inner.cancelled_caught();
    log("never");
  });
  log("inner caught", inner_caught, "outer caught", outer.cancelled_caught());
}

SCENARIO(if_the_inner_was_cancelled_first_it_catches_and_then_the_outer) {
  bool inner_caught = false;
  auto outer = co_await with_cancel_scope([&](CancelScope& o) -> Coro<> {
    auto inner = co_await with_cancel_scope([&](CancelScope& i) -> Coro<> {
      i.cancel();
      try {
        co_await tick(100);
      } catch (...) {
        o.cancel();
        throw;
      }
    });
    inner_caught = inner.cancelled_caught();
    log("inner is left");
    co_await tick(100);
    log("never");
  });
  log("inner caught", inner_caught, "outer caught", outer.cancelled_caught());
}

SCENARIO(a_shield_keeps_an_outer_cancel_out) {
  auto outer = co_await with_cancel_scope([](CancelScope& o) -> Coro<> {
    o.cancel();
    auto behind = []() -> Coro<> { log("behind the shield:", co_await cancelled_here()); };
    (void)co_await with_cancel_scope(behind, {.shield = true});
    log("outside:", co_await cancelled_here());
  });
  log("caught", outer.cancelled_caught());
}

SCENARIO(a_shielded_scope_can_be_cancelled_itself) {
  auto body = [](CancelScope& scope) -> Coro<> {
    scope.cancel();
    co_await tick(100);
  };
  auto result = co_await with_cancel_scope(body, {.shield = true});
  log("caught", result.cancelled_caught());
}

SCENARIO(a_shield_can_be_raised_and_dropped) {
  auto outer = co_await with_cancel_scope([](CancelScope& o) -> Coro<> {
    o.cancel();
    (void)co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
      log(co_await cancelled_here());
      scope.set_shield(true);
      log(co_await cancelled_here());
      scope.set_shield(false);
      log(co_await cancelled_here());
    });
  });
  log("caught", outer.cancelled_caught());
}

SCENARIO(dropping_a_shield_wakes_who_sleeps_behind_it) {
  auto drop = [](CancelScope& scope) -> Coro<> {
    co_await tick(2);
    scope.set_shield(false);
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    auto outer = co_await with_cancel_scope([&](CancelScope& o) -> Coro<> {
      o.cancel();
      auto behind = [&](CancelScope& scope) -> Coro<> {
        group.create_task(drop(scope));
        co_await tick(100);
      };
      (void)co_await with_cancel_scope(behind, {.shield = true});
    });
    log("woken at", passed(), "caught", outer.cancelled_caught());
  });
}

SCENARIO(a_cancel_from_another_task_wakes_the_sleeper) {
  std::atomic<CancelScope*> inside{nullptr};
  auto sleeper = [&]() -> Coro<> {
    auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      inside = &scope;
      co_await sleep_forever();
    });
    log("woken at", passed(), "caught", result.cancelled_caught());
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(sleeper());
    co_await tick(2);
    inside.load()->cancel();
  });
}

SCENARIO(a_scope_reaches_the_children_of_a_group_inside_it) {
  auto child = [](std::string name) -> Coro<> {
    std::exception_ptr error;
    try {
      co_await sleep_forever();
    } catch (...) {
      error = std::current_exception();
    }
    log(name, "still cancelled:", co_await cancelled_here());
    std::rethrow_exception(error);
  };
  auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(child("child"));
      group.create_task(child("child"));
      co_await tick();
      scope.cancel();
    });
  });
  log("caught", result.cancelled_caught());
}

SCENARIO(a_scope_in_one_task_does_not_touch_its_siblings) {
  auto sibling = []() -> Coro<> { log("sibling:", co_await cancelled_here()); };
  auto cancels = []() -> Coro<> {
    (void)co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
      scope.cancel();
      co_await tick(100);
    });
    log("cancelled itself");
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(cancels());
    co_await tick();
    group.create_task(sibling());
  });
}

SCENARIO(a_checkpoint_in_a_cancelled_scope_raises) {
  auto result = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
    co_await checkpoint();
    log("passed");
    scope.cancel();
    co_await checkpoint();
    log("never");
  });
  log("caught", result.cancelled_caught());
}

SCENARIO(what_does_not_suspend_is_not_cancelled) {
  auto quick = []() -> Coro<std::string> { co_return "quick"; };
  auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
    scope.cancel();
    log(co_await quick());
  });
  log("caught", result.cancelled_caught());
}

SCENARIO(a_shielded_body_lives_through_its_deadline_of_outside) {
  auto outer = co_await move_on_after(ticks(1), []() -> Coro<> {
    auto work = []() -> Coro<> {
      co_await tick(3);
      log("worked until", passed());
    };
    (void)co_await with_cancel_scope(work, {.shield = true});
    co_await tick(100);
    log("never");
  });
  log("caught", outer.cancelled_caught(), "at", passed());
}
