// Nurseries (Trio): children, failures, the nursery's scope, start and TaskStatus.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

Coro<> fail(std::string text, int count = 1) {
  co_await tick(count);
  throw ValueError(text);
}

Coro<> wait_long(std::string name) {
  try {
    co_await sleep_forever();
  } catch (const CancelledError&) {
    log(name, "cancelled at", passed());
    throw;
  }
}

}  // namespace

SCENARIO(a_nursery_waits_for_its_children) {
  auto child = [](int count) -> Coro<> {
    co_await tick(count);
    log("child", count);
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    nursery.start_soon(child, 2);
    nursery.start_soon(child, 1);
    log("body ends");
    co_return;
  });
  log("over at", passed());
}

SCENARIO(an_empty_nursery_ends_at_once) {
  co_await open_nursery([](Nursery&) -> Coro<> {
    log("body");
    co_return;
  });
  log("over at", passed());
}

SCENARIO(a_failing_child_cancels_the_others_and_the_body) {
  auto run = open_nursery([](Nursery& nursery) -> Coro<> {
    nursery.start_soon(wait_long("sibling"));
    nursery.start_soon(fail("bad"));
    co_await sleep_forever();
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_failing_body_cancels_the_children) {
  auto run = open_nursery([](Nursery& nursery) -> Coro<> {
    nursery.start_soon(wait_long("child"));
    co_await fail("body");
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(failures_of_several_come_together) {
  auto fails_when_cancelled = [](std::string text) -> Coro<> {
    try {
      co_await sleep_forever();
    } catch (const CancelledError&) {
      throw ValueError(text);
    }
  };
  auto run = open_nursery([&](Nursery& nursery) -> Coro<> {
    nursery.start_soon(fails_when_cancelled("same"));
    nursery.start_soon(fails_when_cancelled("same"));
    co_await tick();
    throw ValueError("same");
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(cancelling_the_scope_of_a_nursery_is_no_error) {
  auto result = co_await open_nursery([](Nursery& nursery) -> Coro<int> {
    nursery.start_soon(wait_long("child"));
    co_await tick();
    nursery.cancel_scope().cancel();
    co_await sleep_forever();
    co_return 0;
  });
  log("caught", result.cancelled_caught(), "at", passed());
}

SCENARIO(a_child_may_cancel_its_nursery) {
  auto stops = [](Nursery& nursery) -> Coro<> {
    co_await tick(2);
    nursery.cancel_scope().cancel();
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    nursery.start_soon(stops(nursery));
    nursery.start_soon(wait_long("sibling"));
    co_return;
  });
  log("over at", passed());
}

namespace {
Coro<> grow(Nursery& nursery, int depth) {
  if (depth > 0) nursery.start_soon(grow(nursery, depth - 1));
  co_await tick(depth);
  log("depth", depth);
}
}  // namespace

SCENARIO(children_may_start_children) {
  co_await open_nursery([](Nursery& nursery) -> Coro<> {
    nursery.start_soon(grow(nursery, 3));
    co_return;
  });
  log("over at", passed());
}

SCENARIO(a_child_that_swallows_its_cancel_ends_by_itself) {
  auto stubborn = []() -> Coro<> {
    try {
      co_await sleep_forever();
    } catch (const CancelledError&) {
      log("swallowed");
    }
  };
  auto run = open_nursery([&](Nursery& nursery) -> Coro<> {
    nursery.start_soon(stubborn());
    nursery.start_soon(fail("bad"));
    co_return;
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(an_outer_scope_ends_the_whole_nursery) {
  auto scope = co_await move_on_after(ticks(2), []() -> Coro<> {
    co_await open_nursery([](Nursery& nursery) -> Coro<> {
      nursery.start_soon(wait_long("child"));
      nursery.start_soon(wait_long("child"));
      co_return;
    });
  });
  log("caught", scope.cancelled_caught(), "at", passed());
}

SCENARIO(a_failure_while_an_outer_scope_cancels_is_raised) {
  auto breaks = []() -> Coro<> {
    try {
      co_await sleep_forever();
    } catch (const CancelledError&) {
      throw ValueError("clean-up");
    }
  };
  auto run = [&]() -> Coro<> {
    (void)co_await move_on_after(ticks(1), [&]() -> Coro<> {
      co_await open_nursery([&](Nursery& nursery) -> Coro<> {
        nursery.start_soon(breaks());
        co_return;
      });
    });
  };
  log(co_await outcome(run()));
}

SCENARIO(nurseries_nest_and_so_do_their_failures) {
  auto run = open_nursery([](Nursery& outer) -> Coro<> {
    outer.start_soon(wait_long("outer child"));
    co_await open_nursery([](Nursery& inner) -> Coro<> {
      inner.start_soon(fail("inner"));
      co_return;
    });
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_nursery_in_a_shield_outlives_an_outer_cancel) {
  auto work = []() -> Coro<> {
    co_await tick(3);
    log("worked at", passed());
  };
  auto scope = co_await move_on_after(ticks(1), [&]() -> Coro<> {
    auto shielded = [&]() -> Coro<> {
      co_await open_nursery([&](Nursery& nursery) -> Coro<> {
        nursery.start_soon(work());
        co_return;
      });
    };
    (void)co_await with_cancel_scope(shielded, {.shield = true});
    co_await sleep_forever();
  });
  log("caught", scope.cancelled_caught(), "at", passed());
}

SCENARIO(start_waits_until_the_child_says_it_has_started) {
  auto server = [](TaskStatus<std::string> status) -> Coro<> {
    co_await tick(2);
    status.started("port 80");
    log("serving at", passed());
    co_await tick(2);
    log("server ends at", passed());
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    const auto value = co_await nursery.start(server);
    co_await tick();
    log("started:", value);
  });
  log("over at", passed());
}

SCENARIO(a_child_that_fails_before_it_has_started_fails_the_start) {
  auto server = [](TaskStatus<>) -> Coro<> {
    co_await tick();
    throw ValueError("no port");
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    try {
      co_await nursery.start(server);
    } catch (const ValueError& error) {
      log("start raised", error);
    }
    co_await tick();
    log("the nursery lives on");
  });
}

SCENARIO(a_child_that_ends_without_started_fails_the_start) {
  auto server = [](TaskStatus<>) -> Coro<> { co_await tick(); };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    try {
      co_await nursery.start(server);
    } catch (const RuntimeError&) {
      log("start raised RuntimeError");
    }
  });
}

SCENARIO(a_child_that_fails_after_started_fails_the_nursery) {
  auto server = [](TaskStatus<> status) -> Coro<> {
    status.started();
    co_await tick();
    throw ValueError("later");
  };
  auto run = open_nursery([&](Nursery& nursery) -> Coro<> {
    co_await nursery.start(server);
    log("started");
    co_await sleep_forever();
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_cancelled_start_cancels_the_child) {
  auto server = [](TaskStatus<>) -> Coro<> {
    try {
      co_await sleep_forever();
    } catch (const CancelledError&) {
      log("child cancelled at", passed());
      throw;
    }
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> {
    (void)co_await move_on_after(ticks(1), [&]() -> Coro<> { co_await nursery.start(server); });
    log("the nursery lives on");
  });
}

SCENARIO(started_twice_is_an_error) {
  auto server = [](TaskStatus<> status) -> Coro<> {
    status.started();
    try {
      status.started();
    } catch (const RuntimeError&) {
      log("refused");
    }
    co_return;
  };
  co_await open_nursery([&](Nursery& nursery) -> Coro<> { co_await nursery.start(server); });
}
