// Exceptions: where they go, groups of them, and those that nobody takes.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

Coro<> fail(std::string text) {
  co_await tick();
  throw ValueError(text);
}

// Logs what the exception handler is told.
void log_reports() {
  get_running_loop().set_exception_handler([](const ExceptionContext& context) {
    log("handler:", context.message.find("never retrieved") != std::string::npos,
        context.exception);
  });
}

template <class E>
std::exception_ptr made(const E& error) {
  return std::make_exception_ptr(error);
}

}  // namespace

SCENARIO(an_exception_passes_through_awaits_to_the_one_who_catches) {
  auto middle = []() -> Coro<> {
    try {
      co_await fail("deep");
    } catch (...) {
      log("middle is left");
      throw;
    }
  };
  try {
    co_await middle();
  } catch (const ValueError& error) {
    log("caught", error);
  }
}

SCENARIO(an_exception_of_a_task_is_raised_at_its_await) {
  auto task = create_task(fail("in task"));
  co_await tick(2);
  log("not yet");
  try {
    co_await task;
  } catch (const ValueError& error) {
    log("caught", error);
  }
}

SCENARIO(an_exception_that_nobody_takes_goes_to_the_handler) {
  log_reports();
  auto task = create_task(fail("forgotten"));
  co_await tick(2);
  log("dropping it");
  task = {};
  co_await tick();
}

SCENARIO(an_exception_that_was_taken_is_not_reported) {
  log_reports();
  {
    auto task = create_task(fail("seen"));
    co_await tick(2);
    log(task.exception());
  }
  {
    auto task = create_task(fail("seen"));
    co_await tick(2);
    log(attempt([&] { task.result(); }));
  }
  auto awaited = create_task(fail("awaited"));
  log(co_await outcome(awaited));
  awaited = {};
  co_await tick();
}

SCENARIO(a_future_with_an_exception_that_nobody_takes_is_reported) {
  log_reports();
  auto future = create_future<int>();
  future.set_exception(ValueError("forgotten"));
  future = {};
  co_await tick();
}

SCENARIO(a_cancelled_task_is_not_reported) {
  log_reports();
  auto task = create_task(tick(100));
  co_await tick();
  task.cancel();
  co_await tick();
  task = {};
  co_await tick();
  log("end");
}

namespace {
Coro<> later_failure() {
  co_await tick(2);
  throw ValueError("second");
}
}  // namespace

SCENARIO(a_second_failure_of_a_gather_is_not_reported) {
  log_reports();
  try {
    co_await gather(fail("first"), later_failure());
  } catch (const ValueError& error) {
    log("caught", error);
  }
  co_await tick(4);
  log("end");
}

SCENARIO(an_exception_in_finally_takes_the_place_of_the_first) {
  auto work = []() -> Coro<> {
    try {
      co_await fail("first");
    } catch (...) {
      throw LookupError("second");
    }
  };
  log(co_await outcome(work()));
}

SCENARIO(a_group_is_split_by_type) {
  const ExceptionGroup group(
      "all", {made(ValueError("a")), made(LookupError("b")), made(ValueError("c"))});
  const auto [values, rest] = group.split<ValueError>();
  log(made(*values), made(*rest));
  log(made(*group.subgroup<LookupError>()));
  log(group.subgroup<KeyboardInterrupt>() ? "some" : "None");
  const auto [all, none] = group.split<std::exception>();
  log("(" + shown(made(*all)) + ", " + (none ? "some" : "None") + ")");
  co_return;
}

SCENARIO(a_nested_group_keeps_its_shape_when_it_is_split) {
  const ExceptionGroup inner("inner", {made(ValueError("a")), made(LookupError("b"))});
  const ExceptionGroup group("outer", {made(inner), made(ValueError("c"))});
  const auto [values, rest] = group.split<ValueError>();
  log(made(*values));
  log(made(*rest));
  log(group.message(), group.exceptions().size());
  co_return;
}

SCENARIO(a_group_needs_an_exception) {
  log(attempt([] { (void)ExceptionGroup("empty", {}); }));
  co_return;
}

SCENARIO(a_failed_task_keeps_its_exception_for_all_who_ask) {
  auto task = create_task(fail("kept"));
  co_await tick(2);
  log(task.exception());
  log(co_await outcome(task));
  log(co_await outcome(gather(task)));
}

SCENARIO(the_handler_is_told_of_a_failing_done_callback) {
  auto task = create_task(tick());
  task.add_done_callback([](const Future<>&) { throw ValueError("in callback"); });
  task.add_done_callback([](const Future<>&) { log("next callback"); });
  std::vector<std::exception_ptr> reports;
  get_running_loop().set_exception_handler(
      [&](const ExceptionContext& context) { reports.push_back(context.exception); });
  co_await tick(2);
  log(reports);
  get_running_loop().set_exception_handler({});
}

SCENARIO(the_text_for_a_forgotten_task_is_pythons) {
  get_running_loop().set_exception_handler(
      [](const ExceptionContext& context) { log(context.message); });
  (void)create_task(fail("x"));
  co_await tick(2);
}
