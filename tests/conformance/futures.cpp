// Futures: completion, waiters, callbacks, cancellation.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

SCENARIO(a_result_wakes_the_one_who_waits) {
  auto future = create_future<int>();
  auto setter = [&]() -> Coro<> {
    co_await tick();
    log("set");
    future.set_result(42);
  };
  auto task = create_task(setter());
  log("got", co_await future);
  co_await task;
}

SCENARIO(an_exception_is_raised_at_the_one_who_waits) {
  auto future = create_future<int>();
  get_running_loop().call_later(ticks(1), [=] { future.set_exception(ValueError("set")); });
  log(co_await outcome(future));
  log("exception", future.exception());
}

SCENARIO(a_second_completion_is_invalid) {
  auto future = create_future<int>();
  log(attempt([&] { future.set_result(1); }));
  log(attempt([&] { future.set_result(2); }));
  log(attempt([&] { future.set_exception(ValueError("late")); }));
  log("cancel", future.cancel());
  log("result", future.result());
  co_return;
}

SCENARIO(nothing_can_be_read_before_it_is_done) {
  auto future = create_future<int>();
  log("done", future.done(), "cancelled", future.cancelled());
  log(attempt([&] { return future.result(); }));
  log(attempt([&] { return future.exception(); }));
  future.set_result(1);
  log("done", future.done(), "cancelled", future.cancelled());
  log("exception", future.exception());
  co_return;
}

SCENARIO(waiters_wake_in_the_order_in_which_they_came) {
  auto future = create_future<std::string>();
  auto waiter = [&](std::string name) -> Coro<> { log(name, "got", co_await future); };
  std::vector<Task<>> tasks;
  for (const auto* name : {"a", "b", "c"}) tasks.push_back(create_task(waiter(name)));
  co_await tick();
  future.set_result("it");
  log("set");
  for (auto& task : tasks) co_await task;
}

SCENARIO(awaiting_what_is_done_does_not_suspend) {
  auto other = []() -> Coro<> {
    log("other");
    co_return;
  };
  auto future = create_future<int>();
  future.set_result(1);
  auto task = create_task(other());
  log("got", co_await future);
  co_await task;
}

SCENARIO(a_cancelled_future_raises_at_each_who_waits) {
  auto future = create_future<int>();
  auto waiter = [&]() -> Coro<> {
    try {
      (void)co_await future;
    } catch (const CancelledError&) {
      log("cancelled; cancelling", current_task().cancelling());
      throw;
    }
  };
  std::vector<Task<>> tasks;
  for (int i = 0; i < 2; ++i) tasks.push_back(create_task(waiter()));
  co_await tick();
  log("cancel", future.cancel("why"));
  log("cancel", future.cancel("again"));
  co_await tick();
  log("tasks cancelled", std::vector<bool>{tasks[0].cancelled(), tasks[1].cancelled()});
  log("result:", attempt([&] { return future.result(); }));
  log("exception:", attempt([&] { return future.exception(); }));
}

SCENARIO(the_text_given_to_cancel_arrives) {
  auto future = create_future<int>();
  get_running_loop().call_later(ticks(1), [=] { future.cancel("the reason"); });
  log(co_await outcome(future));
  try {
    (void)future.result();
  } catch (const CancelledError& error) {
    log("result", error);
  }
}

SCENARIO(cancelling_a_task_cancels_the_future_it_awaits) {
  auto future = create_future<int>();
  auto waiter = [&]() -> Coro<> { (void)co_await future; };
  auto task = create_task(waiter());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  log("future cancelled", future.cancelled());
  log("set_result:", attempt([&] { future.set_result(1); }));
}

SCENARIO(cancelling_one_waiter_cancels_the_future_for_all) {
  auto future = create_future<int>();
  auto waiter = [&]() -> Coro<std::string> { co_return co_await outcome(future); };
  auto one = create_task(waiter());
  auto two = create_task(waiter());
  co_await tick();
  one.cancel();
  log("other:", co_await two);
  log("first:", co_await one);
}

SCENARIO(callbacks_are_called_soon_and_in_order) {
  auto future = create_future<int>();
  for (const auto* name : {"a", "b", "c"})
    future.add_done_callback([name](const Future<int>& done) { log(name, done.result()); });
  future.set_result(9);
  log("set");
  co_await tick();
}

SCENARIO(callbacks_and_waiters_keep_the_order_of_their_coming) {
  auto future = create_future();
  auto waiter = [&]() -> Coro<> {
    co_await future;
    log("waiter");
  };
  future.add_done_callback([](const Future<>&) { log("callback 1"); });
  auto task = create_task(waiter());
  co_await tick();
  future.add_done_callback([](const Future<>&) { log("callback 2"); });
  future.set_result();
  co_await task;
  co_await tick();
}

SCENARIO(a_callback_hears_of_a_cancel_too) {
  auto future = create_future();
  future.add_done_callback([](const Future<>& done) { log("cancelled", done.cancelled()); });
  future.cancel();
  co_await tick();
}

SCENARIO(a_callback_that_raises_does_not_stop_the_others) {
  get_running_loop().set_exception_handler(
      [](const ExceptionContext& context) { log("handler:", context.exception); });
  auto future = create_future();
  future.add_done_callback([](const Future<>&) { log("before"); });
  future.add_done_callback([](const Future<>&) { throw ValueError("in callback"); });
  future.add_done_callback([](const Future<>&) { log("after"); });
  future.set_result();
  co_await tick();
}

SCENARIO(a_removed_callback_is_not_called) {
  auto future = create_future();
  const auto first = future.add_done_callback([](const Future<>&) { log("first"); });
  future.add_done_callback([](const Future<>&) { log("second"); });
  log("removed", future.remove_done_callback(first));
  future.set_result();
  co_await tick();
  log("removed", future.remove_done_callback(first));
}

SCENARIO(one_future_completes_another) {
  auto source = create_future<int>();
  auto target = create_future<int>();
  source.add_done_callback([=](const Future<int>& done) { target.set_result(done.result() * 2); });
  get_running_loop().call_later(ticks(1), [=] { source.set_result(21); });
  log(co_await target);
}

SCENARIO(an_exception_reaches_every_waiter) {
  auto future = create_future<int>();
  auto waiter = [&]() -> Coro<std::string> { co_return co_await outcome(future); };
  std::vector<Task<std::string>> tasks;
  for (int i = 0; i < 3; ++i) tasks.push_back(create_task(waiter()));
  co_await tick();
  future.set_exception(ValueError("for all"));
  for (auto& task : tasks) log(co_await task);
}

SCENARIO(a_result_that_came_before_the_cancel_is_not_lost) {
  auto future = create_future<int>();
  auto waiter = [&]() -> Coro<> {
    log("got", co_await future);
    try {
      co_await tick();
    } catch (const CancelledError&) {
      log("cancelled at the next suspension");
      throw;
    }
  };
  auto task = create_task(waiter());
  co_await tick();
  future.set_result(1);
  log("cancel", task.cancel());
  co_await outcome(task);
  log("task cancelled", task.cancelled());
}

SCENARIO(a_cancel_that_came_before_the_result_wins) {
  auto future = create_future<int>();
  auto waiter = [&]() -> Coro<> { (void)co_await future; };
  auto task = create_task(waiter());
  co_await tick();
  log("cancel", task.cancel());
  log("set_result:", attempt([&] { future.set_result(1); }));
  log(co_await outcome(task));
}
