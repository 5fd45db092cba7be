// wait in its three modes, and as_completed.
#include <algorithm>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

Coro<std::string> give(std::string value, int count) {
  co_await tick(count);
  co_return value;
}

Coro<std::string> fail(int count) {
  co_await tick(count);
  throw ValueError("bad");
}

Coro<std::string> for_ever() {
  co_await tick(100);
  co_return "never";
}

template <class... Coros>
std::vector<Task<std::string>> tasks_of(Coros... coroutines) {
  return {create_task(std::move(coroutines))...};
}

// The positions of those that are in the group.
template <class Handle>
std::vector<int> where(const std::vector<Handle>& all, const std::vector<Handle>& group) {
  std::vector<int> found;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (std::find(group.begin(), group.end(), all[i]) != group.end())
      found.push_back(static_cast<int>(i));
  return found;
}

}  // namespace

SCENARIO(all_completed_waits_for_all) {
  auto tasks = tasks_of(give("a", 3), give("b", 1));
  auto [done, pending] = co_await wait(tasks);
  log("done", where(tasks, done), "pending", where(tasks, pending), "at", passed());
}

SCENARIO(first_completed_ends_with_the_first) {
  auto tasks = tasks_of(give("a", 3), give("b", 1), give("c", 2));
  auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
  log("done", where(tasks, done), "pending", where(tasks, pending), "at", passed());
  co_await wait(tasks);
  log("the others went on to", passed());
}

SCENARIO(first_exception_ends_with_the_first_that_fails) {
  auto tasks = tasks_of(give("a", 1), fail(2), give("c", 5));
  auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
  log("done", where(tasks, done), "pending", where(tasks, pending), "at", passed());
  log(tasks[1].exception());
  co_await tasks[2];
}

SCENARIO(first_exception_without_one_waits_for_all) {
  auto tasks = tasks_of(give("a", 1), give("b", 3));
  auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
  log("done", where(tasks, done), "at", passed());
}

SCENARIO(a_cancelled_task_is_no_first_exception) {
  auto tasks = tasks_of(for_ever(), give("b", 3));
  get_running_loop().call_later(ticks(1), [&] { tasks[0].cancel(); });
  auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
  log("done", where(tasks, done), "at", passed());
}

SCENARIO(when_time_is_up_nothing_is_cancelled) {
  auto tasks = tasks_of(give("a", 1), give("b", 5));
  auto [done, pending] = co_await wait(tasks, {.timeout = ticks(3)});
  log("done", where(tasks, done), "pending", where(tasks, pending), "at", passed());
  const auto value = co_await tasks[1];
  log(value, "at", passed());
}

SCENARIO(a_limit_of_zero_looks_once) {
  auto tasks = tasks_of(give("a", 5), give("b", 1));
  co_await tick(2);
  auto [done, pending] = co_await wait(tasks, {.timeout = 0s});
  log("done", where(tasks, done), "pending", where(tasks, pending));
  co_await tasks[0];
}

SCENARIO(wait_does_not_raise_for_the_tasks) {
  auto tasks = tasks_of(fail(1), give("b", 2));
  auto [done, pending] = co_await wait(tasks);
  log("done", where(tasks, done));
  for (auto& task : tasks) log(co_await outcome(task));
}

SCENARIO(cancelling_a_wait_leaves_the_tasks_alone) {
  auto tasks = tasks_of(give("a", 3), give("b", 4));
  auto waits = [&]() -> Coro<> { co_await wait(tasks); };
  auto waiter = create_task(waits());
  co_await tick();
  waiter.cancel();
  log(co_await outcome(waiter));
  const auto a = co_await tasks[0];
  log(a, co_await tasks[1]);
}

SCENARIO(nothing_to_wait_for_is_an_error) {
  try {
    co_await wait(std::vector<Task<>>());
  } catch (const ValueError&) {
    log(kind());
  }
}

SCENARIO(what_is_done_already_counts) {
  auto tasks = tasks_of(give("a", 1), give("b", 50));
  co_await tick(2);
  auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
  log("done", where(tasks, done), "pending", where(tasks, pending), "at", passed());
  tasks[1].cancel();
}

SCENARIO(the_same_task_twice_is_waited_for_once) {
  auto task = create_task(give("a", 1));
  auto [done, pending] = co_await wait({task, task});
  log("done", done.size(), "pending", pending.size());
}

SCENARIO(the_first_wins_and_the_rest_is_cancelled) {
  auto tasks = tasks_of(give("slow", 50), give("quick", 1), give("slower", 90));
  auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
  for (auto& task : pending) task.cancel();
  co_await wait(pending);
  std::vector<bool> cancelled;
  for (auto& task : tasks) cancelled.push_back(task.cancelled());
  log("winner", std::vector{done[0].result()}, "cancelled", cancelled, "at", passed());
}

SCENARIO(futures_can_be_waited_for_too) {
  std::vector futures{create_future(), create_future()};
  get_running_loop().call_later(ticks(1), [&] { futures[1].set_result(); });
  auto [done, pending] = co_await wait(futures, {.return_when = FIRST_COMPLETED});
  log("done", where(futures, done), "pending", where(futures, pending));
}

SCENARIO(as_completed_gives_them_as_they_end) {
  std::vector<std::string> order;
  auto it = as_completed(give("a", 3), give("b", 1), give("c", 2));
  while (auto next = co_await it.next()) {
    order.push_back(next->result());
    log(order.back(), "at", passed());
  }
  log(order);
}

SCENARIO(as_completed_raises_where_the_result_is_read) {
  auto it = as_completed(give("a", 1), fail(2), give("c", 3));
  while (auto next = co_await it.next()) {
    try {
      log(next->result());
    } catch (const ValueError& error) {
      log(error);
    }
  }
}

SCENARIO(as_completed_with_a_limit) {
  auto tasks = tasks_of(give("a", 1), give("b", 50));
  try {
    auto it = as_completed(tasks, ticks(3));
    while (auto next = co_await it.next()) log(next->result());
  } catch (const TimeoutError&) {
    log("time is up at", passed());
  }
  log("cancelled", tasks[1].cancelled(), "done", tasks[1].done());
  tasks[1].cancel();
}

SCENARIO(as_completed_gives_the_tasks_themselves) {
  auto tasks = tasks_of(give("a", 3), give("b", 1), give("c", 2));
  auto it = as_completed(tasks);
  while (auto task = co_await it.next())
    log(std::find(tasks.begin(), tasks.end(), *task) != tasks.end(), task->result());
}

SCENARIO(as_completed_of_nothing_ends_at_once) {
  auto it = as_completed(std::vector<Task<>>());
  while (auto next = co_await it.next()) log("never");
  log("end");
}

SCENARIO(as_completed_gives_what_was_done_before) {
  auto tasks = tasks_of(give("a", 2), give("b", 1));
  co_await tick(3);
  std::vector<std::string> all;
  auto it = as_completed(tasks);
  while (auto next = co_await it.next()) all.push_back(next->result());
  std::sort(all.begin(), all.end());
  log(all, "at", passed());
}

SCENARIO(cancelling_who_waits_for_the_next_one_leaves_the_tasks_alone) {
  auto tasks = tasks_of(give("a", 3), give("b", 4));
  auto consume = [&]() -> Coro<> {
    auto it = as_completed(tasks);
    while (auto next = co_await it.next()) {
    }
  };
  auto task = create_task(consume());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  const auto a = co_await tasks[0];
  log(a, co_await tasks[1]);
}
