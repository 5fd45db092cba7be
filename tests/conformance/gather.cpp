// gather: results in argument order, the first exception at once, cancellation both ways.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

template <class T>
Coro<T> give(T value, int count = 1) {
  co_await tick(count);
  co_return value;
}
Coro<std::string> give(const char* value, int count = 1) { return give(std::string(value), count); }

Coro<> fail(std::string text, int count = 1) {
  co_await tick(count);
  throw ValueError(text);
}

}  // namespace

SCENARIO(results_come_in_the_order_of_the_arguments) {
  std::vector<Coro<std::string>> children;
  children.push_back(give("a", 3));
  children.push_back(give("b", 1));
  children.push_back(give("c", 2));
  log(co_await gather(std::move(children)));
}

SCENARIO(what_is_gathered_runs_side_by_side) {
  co_await gather(tick(3), tick(2), tick(1));
  log("ticks passed", passed());
}

SCENARIO(the_first_exception_is_raised_at_once_and_the_others_go_on) {
  auto slow = []() -> Coro<> {
    co_await tick(4);
    log("slow ends");
  };
  try {
    co_await gather(slow(), fail("first", 1), fail("second", 2));
  } catch (const ValueError& error) {
    log(error);
  }
  log("gather is over");
  co_await tick(5);
}

SCENARIO(the_first_exception_in_time_wins_not_in_the_order_of_arguments) {
  log(co_await outcome(gather(fail("late", 3), fail("early", 1))));
  co_await tick(4);
}

SCENARIO(a_range_gives_a_list) {
  std::vector<Coro<int>> squares;
  for (int i = 0; i < 3; ++i) squares.push_back(give(i * i, 3 - i));
  log(co_await gather(std::move(squares)));
  log(co_await gather(std::vector<Coro<int>>()));
}

SCENARIO(exceptions_can_be_had_as_results) {
  auto [ok, bad, fine] = co_await gather_results(give("ok", 2), fail("bad", 1), give("fine"));
  log("[" + shown(ok) + ", " + shown(bad) + ", " + shown(fine) + "]");
}

SCENARIO(with_exceptions_as_results_it_waits_for_all) {
  co_await gather_results(fail("bad", 1), give("late", 4));
  log("ticks passed", passed());
}

SCENARIO(the_same_task_twice_runs_once) {
  auto work = []() -> Coro<int> {
    log("runs");
    co_await tick();
    co_return 1;
  };
  auto task = create_task(work());
  log(co_await gather(std::vector{task, task}));
}

SCENARIO(cancelling_the_waiting_task_cancels_all) {
  auto child = [](std::string name) -> Coro<> {
    try {
      co_await tick(100);
    } catch (...) {
      log(name);
      throw;
    }
  };
  auto parent = [&]() -> Coro<> {
    co_await gather(child("child"), child("child"), child("child"));
  };
  auto task = create_task(parent());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  co_await tick();
  log("left", all_tasks().size());
}

namespace {
template <class One, class Two>
Coro<> together(One one, Two two) {
  co_await gather(std::move(one), std::move(two));
}
}  // namespace

SCENARIO(a_cancelled_child_counts_as_failed_and_the_others_go_on) {
  auto other = []() -> Coro<> {
    co_await tick(3);
    log("other ends");
  };
  auto child = create_task(tick(100));
  auto whole = create_task(together(child, other()));
  co_await tick();
  child.cancel();
  log(co_await outcome(whole));
  co_await tick(4);
}

SCENARIO(a_cancelled_child_can_be_had_as_a_result) {
  auto child = create_task(tick(100));
  get_running_loop().call_later(ticks(1), [=] { child.cancel(); });
  auto [cancelled, other] = co_await gather_results(child, give("other", 2));
  log("[" + shown(cancelled) + ", " + shown(other) + "]");
}

SCENARIO(a_cancel_is_raised_though_exceptions_are_results) {
  auto parent = []() -> Coro<> {
    auto [one, two] = co_await gather_results(give(1, 100), give(2, 100));
    log("[" + shown(one) + ", " + shown(two) + "]");
  };
  auto task = create_task(parent());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(a_cancel_is_raised_though_the_children_swallow_it) {
  auto stubborn = []() -> Coro<int> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      log("swallowed");
    }
    co_return 1;
  };
  auto parent = [&]() -> Coro<> { log(co_await gather(stubborn(), stubborn())); };
  auto task = create_task(parent());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(a_cancelled_gather_ends_with_the_first_child_that_does) {
  auto child = [](std::string name, int count) -> Coro<> {
    std::exception_ptr error;
    try {
      co_await tick(100);
    } catch (...) {
      error = std::current_exception();
    }
    co_await tick(count);
    log(name, "cleaned up");
    std::rethrow_exception(error);
  };
  auto parent = [&]() -> Coro<> {
    try {
      co_await gather(child("slow", 3), child("quick", 1));
    } catch (...) {
      log("gather is over");
      throw;
    }
  };
  auto task = create_task(parent());
  co_await tick();
  task.cancel();
  co_await outcome(task);
  co_await tick(4);
}

SCENARIO(children_start_though_nobody_awaits_yet) {
  auto child = []() -> Coro<> {
    log("child runs");
    co_return;
  };
  auto gathered = gather(child());
  co_await tick();
  log("awaiting");
  co_await gathered;
}

SCENARIO(children_start_in_the_order_of_the_arguments) {
  auto child = [](std::string name) -> Coro<> {
    log(name);
    co_return;
  };
  co_await gather(child("a"), child("b"), child("c"));
}

SCENARIO(gathers_nest) {
  std::vector<std::vector<int>> results;
  auto pair = [](int i) {
    std::vector<Coro<int>> both;
    both.push_back(give(i));
    both.push_back(give(i + 1));
    return gather(std::move(both));
  };
  auto first = pair(1);
  auto second = pair(3);
  results.push_back(co_await first);
  results.push_back(co_await second);
  log(results);
}

SCENARIO(futures_coroutines_and_tasks_may_be_mixed) {
  auto future = create_future<std::string>();
  get_running_loop().call_later(ticks(2), [=] { future.set_result("future"); });
  auto task = create_task(give("task", 1));
  log(co_await gather(future, give("coroutine"), task));
}

SCENARIO(what_was_done_before_counts) {
  auto future = create_future<std::string>();
  future.set_result("done");
  log(co_await gather(std::vector{future, future}));
  auto failed = create_future<std::string>();
  failed.set_exception(ValueError("failed before"));
  log(co_await outcome(gather(future, failed)));
}

SCENARIO(a_thousand_at_once) {
  auto square = [](int i) -> Coro<int> {
    co_await tick(1);
    co_return i* i;
  };
  std::vector<Coro<int>> squares;
  for (int i = 0; i < 1000; ++i) squares.push_back(square(i));
  int sum = 0;
  for (const int value : co_await gather(std::move(squares))) sum += value;
  log("sum", sum);
}

SCENARIO(gathered_children_do_not_share_the_parents_fate_after_a_failure) {
  auto other = []() -> Coro<> {
    try {
      co_await tick(3);
      log("other was not cancelled");
    } catch (const CancelledError&) {
      log("never");
      throw;
    }
  };
  auto task = create_task(other());
  log(co_await outcome(gather(task, fail("bad"))));
  log(co_await outcome(task));
}
