// Tasks: order, results, names, callbacks.
#include <algorithm>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

SCENARIO(tasks_start_in_the_order_in_which_they_were_made) {
  auto child = [](std::string name) -> Coro<> {
    log("start", name);
    co_await sleep(0ms);
    log("end", name);
  };
  std::vector<Task<>> tasks;
  for (const auto* name : {"a", "b", "c"}) tasks.push_back(create_task(child(name)));
  log("made");
  for (auto& task : tasks) co_await task;
}

SCENARIO(a_coroutine_does_nothing_until_it_is_awaited) {
  auto work = []() -> Coro<int> {
    log("runs");
    co_return 3;
  };
  auto made = work();
  log("made");
  co_await tick();
  log("result", co_await std::move(made));
}

SCENARIO(an_awaited_coroutine_runs_in_place) {
  auto other = []() -> Coro<> {
    log("other task");
    co_return;
  };
  auto inner = []() -> Coro<int> {
    log("inner");
    co_return 1;
  };
  auto task = create_task(other());
  log("inner gave", co_await inner());
  co_await task;
}

SCENARIO(a_coroutine_can_be_awaited_once) {
  auto work = []() -> Coro<> {
    log("runs");
    co_return;
  };
  auto made = work();
  co_await std::move(made);
  try {
    co_await std::move(made);  // NOLINT(bugprone-use-after-move): that is the question
  } catch (const RuntimeError&) {
    log("again:", kind());
  }
}

SCENARIO(a_task_gives_its_result_as_often_as_it_is_awaited) {
  auto work = []() -> Coro<int> {
    co_await tick();
    co_return 7;
  };
  auto task = create_task(work());
  log(co_await task, co_await task, task.result());
  log("exception", task.exception());
}

SCENARIO(a_task_raises_its_exception_as_often_as_it_is_awaited) {
  auto work = []() -> Coro<> {
    co_await tick();
    throw ValueError("bad");
  };
  auto task = create_task(work());
  for (int i = 0; i < 2; ++i) log(co_await outcome(task));
  log("exception", task.exception());
  log("cancelled", task.cancelled());
}

SCENARIO(result_and_exception_are_invalid_before_the_end) {
  auto task = create_task(tick());
  log("done", task.done());
  log("result:", attempt([&] { task.result(); }));
  log("exception:", attempt([&] { return task.exception(); }));
  co_await task;
  log("done", task.done());
  log("result:", attempt([&] { task.result(); }));
}

SCENARIO(those_who_await_a_task_wake_in_the_order_in_which_they_came) {
  auto work = []() -> Coro<std::string> {
    co_await tick();
    co_return "result";
  };
  auto waiter = [](std::string name, Task<std::string> task) -> Coro<> {
    log(name, "got", co_await task);
  };
  auto task = create_task(work());
  std::vector<Task<>> waiters;
  for (const auto* name : {"a", "b", "c"}) waiters.push_back(create_task(waiter(name, task)));
  for (auto& each : waiters) co_await each;
}

SCENARIO(a_task_that_yields_goes_behind_all_that_are_ready) {
  auto worker = [](std::string name) -> Coro<> {
    for (int turn = 0; turn < 3; ++turn) {
      log(name, turn);
      co_await sleep(0ms);
    }
  };
  std::vector<Task<>> tasks;
  for (const auto* name : {"a", "b", "c"}) tasks.push_back(create_task(worker(name)));
  for (auto& task : tasks) co_await task;
}

SCENARIO(sleepers_wake_by_their_time_not_by_their_order) {
  auto sleeper = [](int count) -> Coro<> {
    co_await tick(count);
    log("slept", count);
  };
  std::vector<Task<>> tasks;
  for (const int count : {3, 1, 2}) tasks.push_back(create_task(sleeper(count)));
  for (auto& task : tasks) co_await task;
}

SCENARIO(current_task_is_the_one_that_runs) {
  auto inner = []() -> Coro<std::string> { co_return current_task().name(); };
  auto work = [&]() -> Coro<> {
    log("in place:", co_await inner());
    co_await tick();
    log("later:", current_task().name());
  };
  co_await create_task(work(), {.name = "worker"});
}

SCENARIO(a_task_has_a_name_that_can_be_changed) {
  auto task = create_task(tick(), {.name = "first"});
  log(task.name());
  task.set_name("second");
  log(task.name());
  auto other = create_task(tick());
  log("default starts with Task-:", other.name().starts_with("Task-"));
  log("names differ:", other.name() != current_task().name());
  co_await task;
  co_await other;
}

SCENARIO(all_tasks_are_those_that_have_not_ended) {
  auto names = [] {
    std::vector<std::string> all;
    for (const auto& task : all_tasks()) all.push_back(task.name());
    std::sort(all.begin(), all.end());
    return all;
  };
  current_task().set_name("main");
  auto brief = create_task(tick(1), {.name = "short"});
  (void)create_task(tick(3), {.name = "long"});
  log(names());
  co_await brief;
  log(names());
  co_await tick(4);
  log(names());
}

SCENARIO(done_callbacks_are_called_in_order_after_the_end) {
  auto work = []() -> Coro<int> {
    co_await tick();
    log("work ends");
    co_return 5;
  };
  auto task = create_task(work());
  task.add_done_callback([](const Future<int>& done) { log("first", done.result()); });
  task.add_done_callback([](const Future<int>& done) { log("second", done.result()); });
  co_await tick(2);
  log("end");
}

SCENARIO(a_done_callback_that_comes_late_is_called_soon_not_now) {
  auto work = []() -> Coro<int> { co_return 5; };
  auto task = create_task(work());
  co_await task;
  task.add_done_callback([](const Future<int>& done) { log("called", done.result()); });
  log("added");
  co_await tick();
}

SCENARIO(a_removed_done_callback_is_not_called) {
  auto work = []() -> Coro<> { co_await tick(); };
  auto task = create_task(work());
  const auto unwanted = task.add_done_callback([](const Future<>&) { log("unwanted"); });
  task.add_done_callback([](const Future<>&) { log("wanted"); });
  log("removed", task.remove_done_callback(unwanted));
  log("removed", task.remove_done_callback(unwanted));
  co_await tick(2);
}

SCENARIO(a_task_whose_handle_is_dropped_goes_on) {
  auto work = []() -> Coro<> {
    co_await tick();
    log("worked");
  };
  (void)create_task(work());
  co_await tick(2);
  log("end");
}

SCENARIO(the_result_of_a_task_cannot_be_set_from_outside) {
  auto work = []() -> Coro<int> {
    co_await tick();
    co_return 1;
  };
  auto task = create_task(work());
  try {
    task.set_result(2);
    log("accepted");
  } catch (const RuntimeError&) {
    log("refused");
  }
  log(co_await task);
}

SCENARIO(a_task_cannot_await_itself) {
  Task<std::string> self;
  auto work = [&]() -> Coro<std::string> {
    co_await tick();
    try {
      (void)co_await self;
    } catch (const RuntimeError&) {
      log(kind());
    }
    co_return "went on";
  };
  self = create_task(work());
  log(co_await self);
}

namespace {
Coro<int> node(int depth) {
  if (depth == 0) co_return 1;
  auto left = create_task(node(depth - 1));
  auto right = create_task(node(depth - 1));
  co_return co_await left + co_await right;
}

Coro<int> count(int depth) {
  if (depth == 0) {
    co_await tick();
    co_return 0;
  }
  co_return 1 + co_await count(depth - 1);
}
}  // namespace

SCENARIO(tasks_make_tasks) { log(co_await node(6)); }

SCENARIO(a_deep_chain_of_awaits_gives_its_result) { log(co_await count(300)); }

SCENARIO(an_eager_task_starts_at_once) {
  auto work = []() -> Coro<> {
    log("starts at once");
    co_await sleep(0ms);
    log("ends");
  };
  log("before");
  auto task = create_task(work(), {.eager = true});
  log("after");
  co_await task;
}

SCENARIO(an_eager_task_that_never_suspends_is_done_at_once) {
  auto work = []() -> Coro<int> { co_return 4; };
  auto fail = []() -> Coro<> {
    throw ValueError("early");
    co_return;
  };
  auto task = create_task(work(), {.eager = true});
  log("done", task.done());
  log(co_await outcome(task));
  auto failed = create_task(fail(), {.eager = true});
  log("failed:", failed.done());
  log(co_await outcome(failed));
}
