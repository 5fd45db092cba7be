// Lock, Event, Condition: fairness, cancelled waiters, misuse.
#include <algorithm>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

SCENARIO(a_lock_goes_to_who_came_first) {
  Lock lock;
  auto worker = [&](std::string name) -> Coro<> {
    auto guard = co_await lock.scoped();
    log(name, "holds it at", passed());
    co_await tick();
  };
  co_await gather(worker("a"), worker("b"), worker("c"));
  log("locked", lock.locked());
}

SCENARIO(a_lock_is_held_by_one_at_a_time) {
  Lock lock;
  int inside = 0;
  int most = 0;
  auto worker = [&]() -> Coro<> {
    for (int i = 0; i < 5; ++i) {
      auto guard = co_await lock.scoped();
      ++inside;
      most = std::max(most, inside);
      co_await sleep(0ms);
      --inside;
    }
  };
  std::vector<Coro<>> workers;
  for (int i = 0; i < 20; ++i) workers.push_back(worker());
  co_await gather(std::move(workers));
  log("most", most, "inside", inside, "locked", lock.locked());
}

SCENARIO(a_lock_is_released_when_its_block_raises) {
  Lock lock;
  auto fails = [&]() -> Coro<> {
    auto guard = co_await lock.scoped();
    log("locked", lock.locked());
    throw ValueError("inside");
  };
  log(co_await outcome(fails()));
  log("locked", lock.locked());
}

SCENARIO(releasing_what_is_not_held_is_an_error) {
  Lock lock;
  log(attempt([&] { lock.release(); }));
  co_await lock.acquire();
  log(attempt([&] { lock.release(); }));
  log(attempt([&] { lock.release(); }));
}

SCENARIO(a_cancelled_waiter_leaves_the_line) {
  Lock lock;
  std::vector<std::string> order;
  auto worker = [&](std::string name) -> Coro<> {
    auto guard = co_await lock.scoped();
    order.push_back(name);
  };
  co_await lock.acquire();
  std::vector<Task<>> tasks;
  for (const auto* name : {"a", "b", "c"}) {
    tasks.push_back(create_task(worker(name)));
    co_await tick();
  }
  tasks[1].cancel();
  log("b:", co_await outcome(tasks[1]));
  lock.release();
  co_await gather(tasks[0], tasks[2]);
  log(order, "locked", lock.locked());
}

SCENARIO(a_lock_whose_every_waiter_was_cancelled_is_free) {
  Lock lock;
  auto worker = [&]() -> Coro<> {
    auto guard = co_await lock.scoped();
    log("never");
  };
  co_await lock.acquire();
  std::vector<Task<>> tasks;
  for (int i = 0; i < 3; ++i) tasks.push_back(create_task(worker()));
  co_await tick();
  for (auto& task : tasks) task.cancel();
  co_await gather_results(tasks);
  lock.release();
  log("locked", lock.locked());
  log(co_await outcome(wait_for(lock.acquire(), ticks(1))) != "raised TimeoutError");
}

SCENARIO(a_released_lock_does_not_go_past_who_waits) {
  Lock lock;
  auto waiter = [&]() -> Coro<> {
    auto guard = co_await lock.scoped();
    log("waiter has it");
  };
  co_await lock.acquire();
  auto task = create_task(waiter());
  co_await tick();
  lock.release();
  {
    auto guard = co_await lock.scoped();
    log("newcomer has it");
  }
  co_await task;
}

SCENARIO(waiting_for_a_lock_may_have_a_limit) {
  Lock lock;
  co_await lock.acquire();
  try {
    co_await wait_for(lock.acquire(), ticks(1));
  } catch (const TimeoutError&) {
    log("no lock at", passed());
  }
  lock.release();
  co_await wait_for(lock.acquire(), ticks(1));
  log("locked", lock.locked());
}

SCENARIO(an_event_wakes_all_in_the_order_of_their_coming) {
  Event event;
  auto waiter = [&](std::string name) -> Coro<> {
    co_await event.wait();
    log(name, "at", passed());
  };
  std::vector<Task<>> tasks;
  for (const auto* name : {"a", "b", "c"}) tasks.push_back(create_task(waiter(name)));
  co_await tick(2);
  event.set();
  log("set");
  co_await gather(tasks);
}

SCENARIO(a_set_event_lets_everybody_through) {
  Event event;
  log("set", event.is_set());
  event.set();
  event.set();
  co_await event.wait();
  co_await event.wait();
  log("set", event.is_set(), "at", passed());
  event.clear();
  log("set", event.is_set());
  log(co_await outcome(wait_for(event.wait(), ticks(1))));
}

SCENARIO(who_was_woken_stays_woken_though_the_event_is_cleared) {
  Event event;
  auto waiter = [&]() -> Coro<> {
    co_await event.wait();
    log("woken; set", event.is_set());
  };
  auto task = create_task(waiter());
  co_await tick();
  event.set();
  event.clear();
  co_await task;
}

SCENARIO(a_cancelled_waiter_of_an_event_disturbs_nobody) {
  Event event;
  auto waiter = [&]() -> Coro<std::string> {
    co_await event.wait();
    co_return "woken";
  };
  auto cancelled = create_task(waiter());
  auto other = create_task(waiter());
  co_await tick();
  cancelled.cancel();
  log(co_await outcome(cancelled));
  event.set();
  log(co_await outcome(other));
}

SCENARIO(notify_wakes_as_many_as_it_says_first_come_first) {
  Condition condition;
  auto waiter = [&](std::string name) -> Coro<> {
    auto guard = co_await condition.scoped();
    co_await condition.wait();
    log(name);
  };
  std::vector<Task<>> tasks;
  for (const auto* name : {"a", "b", "c", "d"}) tasks.push_back(create_task(waiter(name)));
  co_await tick();
  for (const int count : {1, 2}) {
    {
      auto guard = co_await condition.scoped();
      condition.notify(count);
      log("notified", count);
    }
    co_await tick();
  }
  {
    auto guard = co_await condition.scoped();
    condition.notify_all();
  }
  co_await gather(tasks);
}

SCENARIO(who_is_notified_holds_the_lock_again) {
  Condition condition;
  auto waiter = [&]() -> Coro<> {
    auto guard = co_await condition.scoped();
    co_await condition.wait();
    log("locked", condition.locked());
  };
  auto task = create_task(waiter());
  co_await tick();
  {
    auto guard = co_await condition.scoped();
    condition.notify();
    co_await tick(2);
    log("notifier still holds it at", passed());
  }
  co_await task;
  log("locked", condition.locked());
}

SCENARIO(wait_for_looks_again_after_each_notification) {
  Condition condition;
  int value = 0;
  auto waiter = [&]() -> Coro<> {
    auto guard = co_await condition.scoped();
    co_await condition.wait_for([&] { return value == 3; });
    log("value", value, "at", passed());
  };
  auto task = create_task(waiter());
  for (int i = 0; i < 3; ++i) {
    co_await tick();
    auto guard = co_await condition.scoped();
    ++value;
    condition.notify_all();
  }
  co_await task;
}

SCENARIO(wait_for_of_what_is_true_does_not_wait) {
  Condition condition;
  auto guard = co_await condition.scoped();
  log(co_await condition.wait_for([] { return true; }), "at", passed());
}

SCENARIO(a_condition_without_its_lock_is_an_error) {
  Condition condition;
  log("notify:", attempt([&] { condition.notify(); }));
  try {
    co_await condition.wait();
  } catch (const RuntimeError&) {
    log("wait: RuntimeError");
  }
}

SCENARIO(a_cancelled_waiter_of_a_condition_holds_the_lock_while_it_unwinds) {
  Condition condition;
  auto waiter = [&]() -> Coro<> {
    auto guard = co_await condition.scoped();
    try {
      co_await condition.wait();
    } catch (...) {
      log("locked", condition.locked());
      throw;
    }
  };
  auto task = create_task(waiter());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  log("locked", condition.locked());
}

SCENARIO(a_notification_is_not_lost_with_a_cancelled_waiter) {
  Condition condition;
  std::vector<std::string> woken;
  auto waiter = [&](std::string name) -> Coro<> {
    auto guard = co_await condition.scoped();
    co_await condition.wait();
    woken.push_back(name);
  };
  auto first = create_task(waiter("first"));
  co_await tick();
  auto second = create_task(waiter("second"));
  co_await tick();
  first.cancel();
  co_await outcome(first);
  {
    auto guard = co_await condition.scoped();
    condition.notify();
  }
  co_await second;
  log(woken);
}

SCENARIO(conditions_may_share_a_lock) {
  Lock lock;
  Condition filled(lock);
  Condition emptied(lock);
  std::vector<int> box;
  auto producer = [&]() -> Coro<> {
    for (int i = 0; i < 3; ++i) {
      auto guard = co_await emptied.scoped();
      co_await emptied.wait_for([&] { return box.empty(); });
      box.push_back(i);
      filled.notify();
    }
  };
  auto consumer = [&]() -> Coro<> {
    for (int i = 0; i < 3; ++i) {
      auto guard = co_await filled.scoped();
      co_await filled.wait_for([&] { return !box.empty(); });
      log("took", box.back());
      box.pop_back();
      emptied.notify();
    }
  };
  co_await gather(producer(), consumer());
}

SCENARIO(waiting_for_a_notification_may_have_a_limit) {
  Condition condition;
  {
    auto guard = co_await condition.scoped();
    try {
      co_await wait_for(condition.wait(), ticks(2));
    } catch (const TimeoutError&) {
      log("none at", passed(), "locked", condition.locked());
    }
  }
  log("locked", condition.locked());
}

SCENARIO(a_lock_can_be_held_over_a_shield) {
  Lock lock;
  auto work = [&]() -> Coro<> {
    {
      auto guard = co_await lock.scoped();
      co_await tick(3);
    }
    log("released at", passed());
  };
  auto inner = create_task(work());
  auto outer = [&]() -> Coro<> { co_await shield(inner); };
  auto task = create_task(outer());
  co_await tick();
  task.cancel();
  co_await outcome(task);
  log("locked", lock.locked());
  {
    auto guard = co_await lock.scoped();
    log("got it");
  }
  co_await inner;
}
