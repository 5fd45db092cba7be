// wait_for: results in time, results in spite of the cancel, and cancels from outside.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

Coro<std::string> give(std::string value, int count = 1) {
  co_await tick(count);
  co_return value;
}

template <class A>
Coro<AwaitResult<A>> limited(A awaitable, std::optional<double> limit) {
  if (!limit) co_return co_await wait_for(std::move(awaitable), std::nullopt);
  co_return co_await wait_for(std::move(awaitable), ticks(*limit));
}

}  // namespace

SCENARIO(a_result_in_time_is_given) {
  log(co_await limited(give("in time", 1), 3));
  log("ticks passed", passed());
}

SCENARIO(without_a_limit_it_waits) { log(co_await limited(give("late", 50), std::nullopt)); }

SCENARIO(when_time_is_up_the_inner_is_cancelled) {
  auto work = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      log("inner cancelled");
      throw;
    }
  };
  log(co_await outcome(limited(work(), 2)));
  log("ticks passed", passed(), "cancelling", current_task().cancelling());
}

SCENARIO(it_waits_until_the_cancelled_inner_has_ended) {
  auto work = []() -> Coro<> {
    std::exception_ptr error;
    try {
      co_await tick(100);
    } catch (...) {
      error = std::current_exception();
    }
    co_await tick(3);
    log("inner cleaned up");
    std::rethrow_exception(error);
  };
  log(co_await outcome(limited(work(), 1)));
  log("ticks passed", passed());
}

SCENARIO(a_limit_of_zero_gives_what_is_done) {
  auto future = create_future<std::string>();
  future.set_result("done before");
  log(co_await limited(future, 0));
  log(co_await limited(future, -1));
}

SCENARIO(a_limit_of_zero_is_over_for_all_else) {
  auto work = []() -> Coro<> {
    log("never");
    co_await tick(100);
  };
  log(co_await outcome(limited(work(), 0)));
  auto task = create_task(tick(100));
  co_await tick();
  log(co_await outcome(limited(task, -1)));
  log("task cancelled", task.cancelled());
}

SCENARIO(an_exception_of_the_inner_is_raised) {
  auto fail = []() -> Coro<> {
    co_await tick();
    throw ValueError("bad");
  };
  log(co_await outcome(limited(fail(), 5)));
}

SCENARIO(a_time_limit_error_of_the_inners_own_is_raised_too) {
  auto fail = []() -> Coro<> {
    throw TimeoutError();
    co_return;
  };
  log(co_await outcome(limited(fail(), 5)));
  log("ticks passed", passed());
}

SCENARIO(a_result_in_spite_of_the_cancel_is_given) {
  auto stubborn = []() -> Coro<std::string> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      co_return "in spite";
    }
    co_return "";
  };
  log(co_await outcome(limited(create_task(stubborn()), 1)));
  co_await tick();
  log("nothing is left of it; cancelling", current_task().cancelling());
}

SCENARIO(another_exception_in_answer_to_the_cancel_is_raised) {
  auto breaks = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      throw ValueError("while cancelled");
    }
  };
  log(co_await outcome(limited(breaks(), 1)));
}

SCENARIO(a_cancel_from_outside_reaches_the_inner) {
  auto work = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError& error) {
      log("inner", error);
      throw;
    }
  };
  auto task = create_task(limited(work(), 50));
  co_await tick();
  task.cancel("from outside");
  log(co_await outcome(task));
  log("ticks passed", passed());
}

SCENARIO(a_cancel_from_outside_is_not_taken_for_time_that_is_up) {
  auto slow_to_go = []() -> Coro<> {
    std::exception_ptr error;
    try {
      co_await tick(100);
    } catch (...) {
      error = std::current_exception();
    }
    co_await tick(5);
    std::rethrow_exception(error);
  };
  auto task = create_task(limited(slow_to_go(), 3));
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(an_inner_that_swallows_a_cancel_from_outside_gives_its_result) {
  auto stubborn = []() -> Coro<std::string> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      co_return "in spite";
    }
    co_return "";
  };
  auto task = create_task(limited(stubborn(), 50));
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  log("cancelled", task.cancelled(), "cancelling", task.cancelling());
}

SCENARIO(a_coroutine_runs_in_the_task_that_waits) {
  auto name = []() -> Coro<std::string> { co_return current_task().name(); };
  log("same task", co_await limited(name(), 5) == current_task().name());
}

SCENARIO(the_inner_limit_ends_first) {
  auto middle = []() -> Coro<std::string> {
    try {
      co_await limited(tick(100), 1);
    } catch (const TimeoutError&) {
      log("inner limit at", passed());
    }
    co_return "went on";
  };
  log(co_await limited(middle(), 3));
}

SCENARIO(the_outer_limit_ends_first) {
  auto middle = []() -> Coro<> {
    try {
      co_await limited(tick(100), 10);
    } catch (const CancelledError&) {
      log("cancelled at", passed());
      throw;
    }
  };
  log(co_await outcome(limited(middle(), 3)));
}

SCENARIO(a_future_is_cancelled_when_time_is_up) {
  auto future = create_future<int>();
  log(co_await outcome(limited(future, 1)));
  log("cancelled", future.cancelled());
}

SCENARIO(a_task_may_be_waited_for_again_behind_a_shield) {
  auto task = create_task(give("result", 5));
  for (int attempt = 0; attempt < 3; ++attempt) {
    try {
      log(co_await limited(shield(task), 2));
    } catch (const TimeoutError&) {
      log("attempt", attempt, kind());
    }
  }
}

SCENARIO(no_result_is_lost_in_the_race_with_time) {
  int lost = 0;
  for (int i = 0; i < 20; ++i) {
    auto task = create_task(give("result", 1));
    try {
      co_await limited(task, 1);
    } catch (const TimeoutError&) {
      lost += task.cancelled() ? 0 : 1;
    }
  }
  log("lost", lost, "cancelling", current_task().cancelling());
}

SCENARIO(limits_in_a_row_leave_no_trace) {
  for (const int count : {1, 3, 1, 3}) {
    try {
      log(co_await limited(give("in time", count), 2));
    } catch (const TimeoutError&) {
      log("time is up");
    }
  }
  co_await tick(3);
  log("cancelling", current_task().cancelling());
}
