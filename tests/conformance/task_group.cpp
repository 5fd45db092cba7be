// TaskGroup: waits for all, the first failure ends the others, a cancel from outside stays one.
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
    co_await tick(100);
  } catch (const CancelledError&) {
    log(name, "cancelled at", passed());
    throw;
  }
}

Coro<> breaks_when_cancelled(std::string text, int count) {
  try {
    co_await tick(100);
  } catch (const CancelledError&) {
  }
  co_await tick(count);
  throw ValueError(text);
}

}  // namespace

SCENARIO(the_block_ends_when_all_its_tasks_have) {
  auto child = [](int count) -> Coro<> {
    co_await tick(count);
    log("child", count);
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(child(2));
    group.create_task(child(1));
    log("body ends");
    co_return;
  });
  log("group ends at", passed());
}

SCENARIO(results_are_read_from_the_tasks) {
  auto square = [](int i) -> Coro<int> {
    co_await tick();
    co_return i* i;
  };
  std::vector<Task<int>> tasks;
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    for (int i = 0; i < 4; ++i) tasks.push_back(group.create_task(square(i)));
    co_return;
  });
  std::vector<int> results;
  for (auto& task : tasks) results.push_back(task.result());
  log(results);
}

SCENARIO(an_empty_group_ends_at_once) {
  co_await with_task_group([](TaskGroup&) -> Coro<> {
    log("body");
    co_return;
  });
  log("over at", passed());
}

SCENARIO(the_first_failure_cancels_the_siblings) {
  auto run = with_task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(wait_long("sibling"));
    group.create_task(wait_long("sibling"));
    group.create_task(fail("bad"));
    co_return;
  });
  log(co_await outcome(std::move(run)));
  log("cancelling", current_task().cancelling());
}

SCENARIO(the_first_failure_cancels_the_body) {
  auto run = with_task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(fail("bad"));
    co_await wait_long("body");
  });
  log(co_await outcome(std::move(run)));
  co_await tick();
  log("goes on; cancelling", current_task().cancelling());
}

SCENARIO(a_failure_of_the_body_cancels_the_tasks) {
  auto run = with_task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(wait_long("child"));
    co_await fail("body");
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(failures_come_together_in_the_order_in_which_they_happened) {
  auto run = with_task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(breaks_when_cancelled("second", 2));
    group.create_task(breaks_when_cancelled("first", 1));
    co_await fail("body");
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_cancel_from_outside_is_no_failure) {
  auto run = []() -> Coro<> {
    co_await with_task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(wait_long("child"));
      co_await wait_long("body");
    });
  };
  auto task = create_task(run());
  co_await tick();
  task.cancel("outside");
  log(co_await outcome(task));
  log("cancelling", task.cancelling());
}

SCENARIO(a_cancel_from_outside_reaches_a_group_that_waits_for_its_tasks) {
  auto run = []() -> Coro<> {
    co_await with_task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(wait_long("child"));
      co_return;
    });
  };
  auto task = create_task(run());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(a_failure_during_a_cancel_from_outside_is_raised) {
  auto run = []() -> Coro<> {
    co_await with_task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(breaks_when_cancelled("clean-up", 1));
      co_await tick(100);
    });
  };
  auto task = create_task(run());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(a_task_cancelled_alone_does_not_fail_the_group) {
  auto child = []() -> Coro<> {
    co_await tick(2);
    log("the other child ends");
  };
  Task<> cancelled;
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    cancelled = group.create_task(tick(100));
    group.create_task(child());
    co_await tick();
    cancelled.cancel();
  });
  log("group ends at", passed(), "cancelled", cancelled.cancelled());
}

namespace {
Coro<> grow(TaskGroup& group, int depth) {
  if (depth > 0) group.create_task(grow(group, depth - 1));
  co_await tick();
  log("depth", depth);
}
}  // namespace

SCENARIO(a_task_may_make_more_tasks_in_the_group) {
  co_await with_task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(grow(group, 2));
    co_await tick(3);
  });
  log("end");
}

SCENARIO(a_group_that_is_shutting_down_takes_no_task) {
  auto late = [](TaskGroup& group) -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      try {
        group.create_task(tick());
      } catch (const RuntimeError&) {
        log(kind());
      }
      throw;
    }
  };
  auto run = with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(late(group));
    group.create_task(fail("bad"));
    co_return;
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(groups_nest_and_so_do_their_failures) {
  auto inner = []() -> Coro<> {
    co_await with_task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(fail("inner"));
      group.create_task(wait_long("inner sibling"));
      co_return;
    });
  };
  auto outer = with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(inner());
    group.create_task(wait_long("outer sibling"));
    co_return;
  });
  log(co_await outcome(std::move(outer)));
}

SCENARIO(a_group_inside_a_group_of_the_same_task) {
  auto run = with_task_group([](TaskGroup& outer) -> Coro<> {
    outer.create_task(wait_long("outer child"));
    co_await with_task_group([](TaskGroup& inner) -> Coro<> {
      inner.create_task(fail("inner"));
      co_return;
    });
    log("never");
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_failure_of_an_inner_group_can_be_caught) {
  co_await with_task_group([](TaskGroup& outer) -> Coro<> {
    outer.create_task(tick(3));
    try {
      co_await with_task_group([](TaskGroup& inner) -> Coro<> {
        inner.create_task(fail("inner"));
        co_return;
      });
    } catch (const ExceptionGroup& caught) {
      log(caught);
    }
    co_await tick();
  });
  log("outer ends at", passed());
}

SCENARIO(tasks_of_a_body_that_fails_at_once_never_start) {
  auto child = []() -> Coro<> {
    log("never");
    co_return;
  };
  auto run = with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(child());
    throw ValueError("at once");
    co_return;
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_body_that_raises_cancelled_error_cancels_its_tasks) {
  auto run = with_task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(wait_long("child"));
    co_await tick();
    throw CancelledError("by hand");
  });
  log(co_await outcome(std::move(run)));
  log("cancelling", current_task().cancelling());
}

SCENARIO(a_task_that_swallows_the_cancel_ends_in_its_own_time) {
  auto stubborn = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
    }
    co_await tick(3);
    log("stubborn ends");
  };
  auto run = with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(stubborn());
    group.create_task(fail("bad"));
    co_return;
  });
  log(co_await outcome(std::move(run)));
  log("over at", passed());
}

SCENARIO(two_who_fail_at_the_same_time_are_both_reported) {
  auto future = create_future();
  auto fails_at = [](Future<> at) -> Coro<> {
    try {
      co_await shield(at);
    } catch (const CancelledError&) {
    }
    throw ValueError("same");
  };
  auto run = with_task_group([&](TaskGroup& group) -> Coro<> {
    for (int i = 0; i < 2; ++i) group.create_task(fails_at(future));
    co_await tick();
    future.set_result();
    co_await tick(100);
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_group_can_be_used_in_a_task_that_was_uncancelled) {
  auto run = []() -> Coro<std::string> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      current_task().uncancel();
    }
    co_await with_task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(tick());
      co_return;
    });
    co_return "group worked";
  };
  auto task = create_task(run());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

namespace {
template <class E>
Coro<> fail_with(E error, int count) {
  try {
    co_await tick(count);
  } catch (const CancelledError&) {
  }
  throw error;
}
}  // namespace

SCENARIO(handlers_take_their_part_of_the_failures) {
  try {
    co_await with_task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(fail_with(ValueError("one"), 1));
      group.create_task(fail_with(LookupError("two"), 2));
      group.create_task(fail_with(ValueError("three"), 3));
      co_await tick(100);
    });
  } catch (const ExceptionGroup& failures) {
    const auto [values, rest] = failures.split<ValueError>();
    log("values", values->exceptions().size());
    log("lookups", rest->subgroup<LookupError>()->exceptions().size());
  }
}

SCENARIO(the_deadline_of_a_task_in_a_group_is_its_own) {
  auto limited = []() -> Coro<> {
    try {
      co_await timeout(ticks(1), []() -> Coro<> { co_await tick(100); });
    } catch (const TimeoutError&) {
      log("time is up at", passed());
    }
  };
  auto other = []() -> Coro<> {
    co_await tick(3);
    log("other ends at", passed());
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(limited());
    group.create_task(other());
    co_return;
  });
}

SCENARIO(a_body_cancelled_by_a_failure_may_clean_up) {
  auto run = with_task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(fail("bad"));
    std::exception_ptr error;
    try {
      co_await tick(100);
    } catch (...) {
      error = std::current_exception();
    }
    co_await tick(2);
    log("body cleaned up at", passed());
    std::rethrow_exception(error);
  });
  log(co_await outcome(std::move(run)));
}
