// timeout, timeout_at: what a deadline turns into TimeoutError, and what it leaves alone.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

TimePoint now() { return get_running_loop().time(); }
Coro<> too_long() { co_await tick(100); }

}  // namespace

SCENARIO(a_body_in_time_is_left_alone) {
  bool expired = true;
  co_await timeout(ticks(5), [&](Timeout& limit) -> Coro<> {
    co_await tick(1);
    log("expired", limit.expired());
    expired = limit.expired();
  });
  log("expired", expired, "cancelling", current_task().cancelling());
}

SCENARIO(a_body_that_takes_too_long_is_cancelled) {
  try {
    co_await timeout(ticks(2), [](Timeout& limit) -> Coro<> {
      try {
        co_await tick(100);
      } catch (const CancelledError&) {
        log("cancelled; expired", limit.expired());
        throw;
      }
    });
  } catch (const TimeoutError& error) {
    log(error, "at", passed());
  }
  log("cancelling", current_task().cancelling());
  co_await tick();
  log("goes on");
}

SCENARIO(none_is_no_limit) {
  co_await timeout(std::nullopt, [](Timeout& limit) -> Coro<> {
    log("when", limit.when() ? "some" : "None");
    co_await tick(10);
  });
  log("over at", passed());
}

SCENARIO(zero_lets_the_body_run_to_its_first_suspension) {
  for (const int delay : {0, -1}) {
    auto limited = timeout(ticks(delay), []() -> Coro<> {
      log("begins");
      co_await tick(100);
      log("never");
    });
    log(co_await outcome(std::move(limited)));
  }
}

SCENARIO(a_body_that_never_suspends_is_not_cut_short) {
  co_await timeout(0ms, []() -> Coro<> {
    log("body");
    co_return;
  });
  co_await tick();
  log("goes on; cancelling", current_task().cancelling());
}

SCENARIO(other_exceptions_of_the_body_pass) {
  auto limited = timeout(ticks(5), []() -> Coro<> {
    co_await tick();
    throw ValueError("own");
  });
  log(co_await outcome(std::move(limited)));
}

SCENARIO(the_inner_of_two_expires_alone) {
  co_await timeout(ticks(10), [](Timeout& outer) -> Coro<> {
    bool inner_expired = false;
    try {
      co_await timeout(ticks(1), [&](Timeout& inner) -> Coro<> {
        try {
          co_await tick(100);
        } catch (...) {
          inner_expired = inner.expired();
          throw;
        }
      });
    } catch (const TimeoutError&) {
      log("inner", inner_expired, "outer", outer.expired());
    }
    co_await tick();
  });
  log("over at", passed());
}

SCENARIO(the_outer_of_two_expires_alone) {
  try {
    co_await timeout(ticks(1), [](Timeout& outer) -> Coro<> {
      bool inner_expired = false;
      try {
        co_await timeout(ticks(10), [&](Timeout& inner) -> Coro<> {
          try {
            co_await tick(100);
          } catch (...) {
            inner_expired = inner.expired();
            throw;
          }
        });
      } catch (const CancelledError&) {
        log("inner", inner_expired, "outer", outer.expired());
        throw;
      } catch (const TimeoutError&) {
        log("never");
      }
    });
  } catch (const TimeoutError&) {
    log("outer raised at", passed());
  }
}

SCENARIO(both_expire_while_the_body_cleans_up) {
  auto body = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      log("cancelled");
      throw;
    }
  };
  auto inner = [&]() -> Coro<> { co_await timeout(ticks(1), [&] { return body(); }); };
  auto outer = [&]() -> Coro<> {
    co_await timeout(ticks(3), [&]() -> Coro<> {
      try {
        co_await inner();
      } catch (const TimeoutError&) {
        log("inner raised");
      }
      co_await tick(100);
    });
  };
  log(co_await outcome(outer()));
  log("over at", passed(), "cancelling", current_task().cancelling());
}

SCENARIO(a_deadline_may_be_put_off) {
  bool expired = true;
  co_await timeout(ticks(2), [&](Timeout& limit) -> Coro<> {
    co_await tick();
    limit.reschedule(now() + ticks(5));
    co_await tick(3);
    expired = limit.expired();
  });
  log("over at", passed(), "expired", expired);
}

SCENARIO(a_deadline_may_be_brought_forward) {
  auto limited = timeout(ticks(50), [](Timeout& limit) -> Coro<> {
    limit.reschedule(now() + ticks(1));
    co_await tick(100);
  });
  log(co_await outcome(std::move(limited)));
  log("over at", passed());
}

SCENARIO(a_deadline_may_be_given_up) {
  co_await timeout(ticks(2), [](Timeout& limit) -> Coro<> {
    limit.reschedule(std::nullopt);
    co_await tick(5);
    log("when", limit.when() ? "some" : "None");
  });
  log("over at", passed());
}

SCENARIO(a_deadline_in_the_past_is_over) {
  auto rescheduled = timeout(std::nullopt, [](Timeout& limit) -> Coro<> {
    limit.reschedule(now() - ticks(1));
    co_await tick(100);
  });
  auto at = timeout_at(now() - ticks(1), too_long);
  log(co_await outcome(std::move(rescheduled)));
  log(co_await outcome(std::move(at)));
  log("over at", passed());
}

SCENARIO(timeout_at_names_a_point_in_time) {
  const auto when = now() + ticks(2);
  try {
    co_await timeout_at(when, [&](Timeout& limit) -> Coro<> {
      log("when", limit.when() == when);
      co_await tick(100);
    });
  } catch (const TimeoutError&) {
    log("raised at", passed());
  }
}

SCENARIO(an_expired_deadline_cannot_be_moved) {
  try {
    co_await timeout(ticks(1), [](Timeout& limit) -> Coro<> {
      try {
        co_await tick(100);
      } catch (const CancelledError&) {
        log("reschedule:", attempt([&] { limit.reschedule(std::nullopt); }));
        throw;
      }
    });
  } catch (const TimeoutError&) {
    log("raised");
  }
}

SCENARIO(a_cancel_from_outside_stays_a_cancel) {
  auto limited = []() -> Coro<> { co_await timeout(ticks(50), too_long); };
  auto task = create_task(limited());
  co_await tick();
  task.cancel("outside");
  log(co_await outcome(task));
  log("cancelling", task.cancelling());
}

SCENARIO(a_cancel_from_outside_wins_over_a_deadline_that_comes_later) {
  auto limited = []() -> Coro<> {
    co_await timeout(ticks(3), []() -> Coro<> {
      std::exception_ptr error;
      try {
        co_await tick(100);
      } catch (...) {
        error = std::current_exception();
      }
      co_await shield(tick(5));
      std::rethrow_exception(error);
    });
  };
  auto task = create_task(limited());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  log("cancelling", task.cancelling());
}

SCENARIO(a_body_may_swallow_the_cancel_and_give_its_value) {
  auto limited = timeout(ticks(1), [](Timeout& limit) -> Coro<std::string> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      log("swallowed; expired", limit.expired());
    }
    co_return "value";
  });
  log(co_await outcome(std::move(limited)));
  log("cancelling", current_task().cancelling());
}

SCENARIO(a_body_may_answer_with_another_exception) {
  auto limited = timeout(ticks(1), []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      throw ValueError("instead");
    }
  });
  log(co_await outcome(std::move(limited)));
  log("cancelling", current_task().cancelling());
}

SCENARIO(a_deadline_does_not_fire_after_the_end) {
  co_await timeout(ticks(2), []() -> Coro<> { co_await tick(1); });
  co_await tick(5);
  log("over at", passed());
}

SCENARIO(a_deadline_cancels_the_task_that_the_body_awaits) {
  auto work = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (...) {
      log("work ends at", passed());
      throw;
    }
  };
  auto task = create_task(work());
  auto limited = timeout(ticks(2), [&]() -> Coro<> { co_await task; });
  log(co_await outcome(std::move(limited)));
  log("task cancelled", task.cancelled());
}

SCENARIO(a_deadline_ends_a_group_and_its_tasks) {
  auto work = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (...) {
      log("work ends at", passed());
      throw;
    }
  };
  auto limited = timeout(ticks(2), [&]() -> Coro<> {
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < 2; ++i) group.create_task(work());
      co_return;
    });
  });
  log(co_await outcome(std::move(limited)));
}

SCENARIO(limits_on_several_tasks_are_independent) {
  auto limited = [](int count) -> Coro<int> {
    co_await timeout(ticks(count), []() -> Coro<> { co_await tick(4); });
    co_return count;
  };
  std::vector<Coro<int>> all;
  for (const int count : {2, 6, 3, 5}) all.push_back(limited(count));
  log(co_await gather_results(std::move(all)));
}
