// Scopes, deadlines and nurseries together (Trio): who catches what, who is reached by what.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

Coro<bool> cancelled_here() {
  try {
    co_await tick();
  } catch (const CancelledError&) {
    co_return true;
  }
  co_return false;
}

Coro<> sleep_and_tell(std::string name) {
  try {
    co_await sleep_forever();
  } catch (const CancelledError&) {
    log(name, "cancelled at", passed());
    throw;
  }
}

Coro<> fail(std::string text, int count = 1) {
  co_await tick(count);
  throw ValueError(text);
}

Coro<> finishes(int count) {
  co_await tick(count);
  log("finished at", passed());
}

TimePoint now() { return get_running_loop().time(); }

}  // namespace

SCENARIO(two_deadlines_at_the_same_time_are_the_outers) {
  const auto when = now() + ticks(2);
  bool inner_caught = false;
  auto outer = co_await move_on_at(when, [&]() -> Coro<> {
    auto inner = co_await move_on_at(when, []() -> Coro<> { co_await sleep_forever(); });
    inner_caught = inner.cancelled_caught();
    log("never");
  });
  log("inner", inner_caught, "outer", outer.cancelled_caught());
}

SCENARIO(fail_after_inside_a_cancelled_scope_does_not_fail) {
  auto outer = co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
    scope.cancel();
    co_await fail_after(ticks(5), []() -> Coro<> { co_await sleep_forever(); });
    log("never");
  });
  log("caught", outer.cancelled_caught());
}

SCENARIO(the_effective_deadline_is_the_nearest) {
  const auto start = now();
  auto effective = [=] {
    const auto deadline = current_effective_deadline();
    if (deadline == TimePoint::max()) return std::string("never");
    return std::to_string((deadline - start + ticks(0.5)) / ticks(1));
  };
  auto tell = [&]() -> Coro<> {
    log(effective());
    co_return;
  };
  log(effective());
  (void)co_await move_on_at(start + ticks(5), [&]() -> Coro<> {
    log(effective());
    (void)co_await move_on_at(start + ticks(9), tell);
    (void)co_await move_on_at(start + ticks(3), tell);
    (void)co_await move_on_at(start + ticks(9), [&](CancelScope& shielded) -> Coro<> {
      shielded.set_shield(true);
      log(effective());
      co_return;
    });
    log(effective());
  });
  log(effective());
}

SCENARIO(the_effective_deadline_of_what_is_cancelled_has_passed) {
  (void)co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
    scope.cancel();
    log("-infinity", current_effective_deadline() == TimePoint::min());
    co_return;
  });
}

SCENARIO(a_nursery_may_have_a_deadline) {
  co_await open_nursery([](Nursery& nursery) -> Coro<> {
    nursery.start_soon(sleep_and_tell("child"));
    nursery.cancel_scope().set_deadline(now() + ticks(2));
    co_return;
  });
  log("over at", passed());
}

SCENARIO(a_shielded_nursery_keeps_an_outer_cancel_out) {
  auto work = []() -> Coro<> {
    co_await tick(2);
    log("worked at", passed());
  };
  auto outer = co_await move_on_after(ticks(1), [&]() -> Coro<> {
    co_await open_nursery([&](Nursery& nursery) -> Coro<> {
      nursery.cancel_scope().set_shield(true);
      nursery.start_soon(work());
      co_return;
    });
    co_await tick();
    log("never");
  });
  log("caught", outer.cancelled_caught(), "at", passed());
}

SCENARIO(children_inherit_the_deadline_of_the_nursery_not_of_who_starts_them) {
  auto child = []() -> Coro<> { log("cancelled", co_await cancelled_here()); };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    (void)co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      scope.cancel();
      nursery.start_soon(child());
      co_return;
    });
  });
}

SCENARIO(a_child_may_have_a_scope_of_its_own) {
  auto limited = [](int count) -> Coro<> {
    auto scope = co_await move_on_after(ticks(count), []() -> Coro<> { co_await tick(3); });
    log("limit", count, "caught", scope.cancelled_caught());
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    for (const int count : {1, 5}) nursery.start_soon(limited(count));
    co_return;
  });
}

SCENARIO(only_failures_come_out_of_a_cancelled_nursery) {
  auto run = open_nursery([](Nursery& nursery) -> Coro<> {
    nursery.start_soon(sleep_and_tell("sibling"));
    nursery.start_soon(fail("bad"));
    co_await tick(2);
    log("never");
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_failure_passes_an_inner_cancelled_scope) {
  auto run = open_nursery([](Nursery& nursery) -> Coro<> {
    auto scope = co_await with_cancel_scope([&](CancelScope& inner) -> Coro<> {
      nursery.start_soon(fail("bad"));
      inner.cancel();
      co_await sleep_forever();
    });
    log("inner caught", scope.cancelled_caught());
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(an_inner_nurserys_cancel_does_not_reach_the_outer) {
  co_await open_nursery([](Nursery& outer) -> Coro<> {
    outer.start_soon(finishes(4));
    co_await open_nursery([](Nursery& inner) -> Coro<> {
      inner.start_soon(sleep_and_tell("inner child"));
      co_await tick();
      inner.cancel_scope().cancel();
    });
    log("inner is over at", passed());
  });
}

SCENARIO(an_outer_nurserys_cancel_reaches_the_inner) {
  co_await open_nursery([](Nursery& outer) -> Coro<> {
    co_await open_nursery([&](Nursery& inner) -> Coro<> {
      inner.start_soon(sleep_and_tell("inner child"));
      co_await tick();
      outer.cancel_scope().cancel();
    });
    log("never");
  });
  log("over at", passed());
}

SCENARIO(a_child_that_has_started_is_out_of_the_starters_scope) {
  auto server = [](TaskStatus<> status) -> Coro<> {
    status.started();
    co_await tick(3);
    log("server ends at", passed());
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    (void)co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      co_await nursery.start(server);
      scope.cancel();
    });
    log("starter goes on");
  });
}

SCENARIO(a_start_in_a_cancelled_scope_does_not_start) {
  auto server = [](TaskStatus<> status) -> Coro<> {
    co_await tick();
    log("never");
    status.started();
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      scope.cancel();
      co_await nursery.start(server);
    });
    log("caught", result.cancelled_caught());
  });
}

SCENARIO(a_nursery_counts_its_children) {
  co_await open_nursery([](Nursery& nursery) -> Coro<> {
    nursery.start_soon(tick(1));
    nursery.start_soon(tick(3));
    log(nursery.child_tasks().size());
    co_await tick(2);
    log(nursery.child_tasks().size());
  });
}

SCENARIO(a_nursery_that_is_being_cancelled_still_takes_children) {
  auto late = [](Nursery& nursery) -> Coro<> {
    try {
      co_await sleep_forever();
    } catch (...) {
      nursery.start_soon(sleep_and_tell("late child"));
      log("accepted while it is being cancelled");
      throw;
    }
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    nursery.start_soon(late(nursery));
    co_await tick();
    nursery.cancel_scope().cancel();
  });
}

SCENARIO(results_are_gathered_by_hand) {
  std::vector<int> results(3);
  auto job = [&](int i) -> Coro<> {
    co_await tick(3 - i);
    results[static_cast<std::size_t>(i)] = i * i;
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    for (int i = 0; i < 3; ++i) nursery.start_soon(job(i));
    co_return;
  });
  log(results);
}

SCENARIO(the_first_result_cancels_the_rest) {
  std::vector<std::string> winners;
  auto race = [&](Nursery& nursery, std::string name, int count) -> Coro<> {
    co_await tick(count);
    winners.push_back(name);
    nursery.cancel_scope().cancel();
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    nursery.start_soon(race(nursery, "slow", 9));
    nursery.start_soon(race(nursery, "quick", 2));
    nursery.start_soon(race(nursery, "middle", 5));
    co_return;
  });
  log(winners, "at", passed());
}
