// A cancel that meets what it would cancel: the same turn of one loop brings both.
#include <thread>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

Coro<> too_long() { co_await tick(100); }

// Holds the loop up for so many ticks.
void busy(int count) { std::this_thread::sleep_for(ticks(count)); }

}  // namespace

SCENARIO(a_lock_released_and_its_next_owner_cancelled_goes_on_to_the_next) {
  Lock lock;
  auto worker = [&](std::string name) -> Coro<> {
    auto guard = co_await lock.scoped();
    co_await tick();
    log(name, "worked");
  };
  co_await lock.acquire();
  auto first = create_task(worker("first"));
  auto second = create_task(worker("second"));
  co_await tick();
  lock.release();
  first.cancel();
  log(co_await outcome(first));
  co_await second;
  log("locked", lock.locked());
}

SCENARIO(a_permit_released_and_its_next_owner_cancelled_goes_on_to_the_next) {
  Semaphore semaphore(0);
  auto worker = [&](std::string name) -> Coro<> {
    auto permit = co_await semaphore.scoped();
    co_await tick();
    log(name, "worked");
  };
  auto first = create_task(worker("first"));
  auto second = create_task(worker("second"));
  co_await tick();
  semaphore.release();
  first.cancel();
  log(co_await outcome(first));
  co_await second;
  log("locked", semaphore.locked());
}

SCENARIO(a_cancelled_waiter_before_the_release_takes_nothing) {
  Lock lock;
  auto worker = [&](std::string name) -> Coro<> {
    auto guard = co_await lock.scoped();
    log(name, "has it");
  };
  co_await lock.acquire();
  auto first = create_task(worker("first"));
  auto second = create_task(worker("second"));
  co_await tick();
  first.cancel();
  lock.release();
  log(co_await outcome(first));
  co_await second;
}

SCENARIO(an_item_handed_over_before_the_cancel_is_taken) {
  Queue<std::string> queue;
  auto getter = [&]() -> Coro<> {
    log("first got", co_await queue.get());
    co_await tick();
  };
  auto first = create_task(getter());
  co_await tick();
  queue.put_nowait("item");
  first.cancel();
  log(co_await outcome(first));
  log("second gets", co_await outcome(wait_for(queue.get(), ticks(1))));
}

SCENARIO(an_item_put_after_the_cancel_is_for_the_next) {
  Queue<std::string> queue;
  auto getter = [&](std::string name) -> Coro<> { log(name, "got", co_await queue.get()); };
  auto first = create_task(getter("first"));
  auto second = create_task(getter("second"));
  co_await tick();
  first.cancel();
  queue.put_nowait("item");
  log(co_await outcome(first));
  co_await second;
}

SCENARIO(an_event_set_before_the_cancel_wakes) {
  Event event;
  auto waiter = [&]() -> Coro<std::string> {
    co_await event.wait();
    co_return "woken";
  };
  auto first_waiter = [&]() -> Coro<> {
    log("first", co_await waiter());
    co_await tick();
  };
  auto first = create_task(first_waiter());
  auto second = create_task(waiter());
  co_await tick();
  event.set();
  first.cancel();
  log(co_await outcome(first));
  log("second", co_await outcome(second));
}

SCENARIO(a_notification_to_one_who_is_cancelled_goes_to_the_next) {
  Condition condition;
  auto waiter = [&](std::string name) -> Coro<> {
    auto guard = co_await condition.scoped();
    co_await condition.wait();
    log(name, "notified");
  };
  auto first = create_task(waiter("first"));
  auto second = create_task(waiter("second"));
  co_await tick();
  {
    auto guard = co_await condition.scoped();
    first.cancel();
    condition.notify();
  }
  log(co_await outcome(first));
  log(co_await outcome(wait_for(second, ticks(2))));
}

SCENARIO(a_waiter_cancelled_while_it_takes_the_lock_back_has_it_when_it_unwinds) {
  Condition condition;
  auto waiter = [&]() -> Coro<> {
    auto guard = co_await condition.scoped();
    try {
      co_await condition.wait();
    } catch (...) {
      log("locked", condition.locked(), "at", passed());
      throw;
    }
    log("locked", condition.locked(), "at", passed());
  };
  auto task = create_task(waiter());
  co_await tick();
  {
    auto guard = co_await condition.scoped();
    condition.notify();
    co_await tick();
    task.cancel();
    co_await tick(2);
  }
  log(co_await outcome(task));
  log("locked", condition.locked());
}

SCENARIO(a_cancel_taken_back_before_it_is_delivered_is_not) {
  auto work = []() -> Coro<std::string> {
    try {
      co_await tick();
    } catch (const CancelledError&) {
      log("cancelled");
    }
    co_return "worked";
  };
  auto task = create_task(work());
  co_await tick(0.5);
  const bool cancel = task.cancel();
  log(cancel, task.uncancel());
  log(co_await outcome(task));
}

SCENARIO(a_task_may_take_its_own_cancel_back) {
  auto work = []() -> Coro<std::string> {
    auto task = current_task();
    const bool cancel = task.cancel();
    log(cancel, task.uncancel());
    co_await sleep(0ms);
    co_return "not cancelled";
  };
  log(co_await outcome(create_task(work())));
}

SCENARIO(a_future_and_the_task_that_awaits_it_are_both_cancelled) {
  auto future = create_future();
  int raised = 0;
  auto work = [&]() -> Coro<std::string> {
    try {
      co_await future;
    } catch (const CancelledError&) {
      ++raised;
    }
    co_await tick();
    co_return "went on";
  };
  auto task = create_task(work());
  co_await tick();
  future.cancel();
  task.cancel();
  const auto ended = co_await outcome(task);
  log(ended, "raised", raised);
}

SCENARIO(two_limits_that_pass_while_the_loop_is_busy) {
  auto both = []() -> Coro<> {
    co_await timeout(ticks(3), []() -> Coro<> {
      try {
        co_await timeout(ticks(1), []() -> Coro<> {
          busy(5);
          co_await tick(100);
        });
      } catch (const TimeoutError&) {
        log("inner");
      }
      co_await tick(100);
      log("never");
    });
  };
  log(co_await outcome(both()));
  log("cancelling", current_task().cancelling());
}

SCENARIO(a_body_that_ends_late_but_without_a_suspension_is_in_time) {
  bool expired = true;
  co_await timeout(ticks(1), [&](Timeout& limit) -> Coro<> {
    busy(3);
    expired = limit.expired();
    co_return;
  });
  log("expired", expired);
  co_await sleep(0ms);
  log("goes on");
}

SCENARIO(a_limit_around_a_cancelled_task_stays_a_cancel) {
  auto inner = []() -> Coro<> {
    throw CancelledError("own");
    co_return;
  };
  auto run = timeout(ticks(5), inner);
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_limit_set_in_a_clean_up_after_a_cancel_works) {
  auto work = []() -> Coro<> {
    std::exception_ptr error;
    try {
      co_await tick(100);
    } catch (...) {
      error = std::current_exception();
    }
    try {
      co_await timeout(ticks(2), too_long);
    } catch (const TimeoutError&) {
      log("clean-up took too long, at", passed());
    }
    std::rethrow_exception(error);
  };
  auto task = create_task(work());
  co_await tick();
  task.cancel();
  const auto ended = co_await outcome(task);
  log(ended, "cancelling", task.cancelling());
}

SCENARIO(uncancel_inside_a_limit_does_not_confuse_it) {
  auto work = []() -> Coro<> {
    try {
      co_await timeout(ticks(2), []() -> Coro<> {
        try {
          co_await tick(100);
        } catch (const CancelledError&) {
          log("cancelling", current_task().cancelling());
          current_task().uncancel();
          throw;
        }
      });
    } catch (const TimeoutError&) {
      log("TimeoutError");
    } catch (const CancelledError&) {
      log("CancelledError");
    }
  };
  co_await create_task(work());
}

SCENARIO(a_task_cancelled_in_a_group_whose_sibling_fails_as_well) {
  auto fail = []() -> Coro<> {
    throw ValueError("sibling");
    co_return;
  };
  auto run = with_task_group([&](TaskGroup& group) -> Coro<> {
    auto task = group.create_task(too_long());
    co_await tick();
    task.cancel();
    group.create_task(fail());
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_group_cancelled_from_outside_while_a_child_fails) {
  auto fail = []() -> Coro<> {
    co_await tick(2);
    throw ValueError("child");
  };
  auto run = [&]() -> Coro<> {
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(fail());
      std::exception_ptr error;
      try {
        co_await tick(100);
      } catch (...) {
        error = std::current_exception();
      }
      co_await shield(tick(4));
      std::rethrow_exception(error);
    });
  };
  auto task = create_task(run());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(both_groups_of_a_task_fail_at_the_same_time) {
  auto fail = [](std::string text) -> Coro<> {
    co_await tick();
    throw ValueError(text);
  };
  auto run = with_task_group([&](TaskGroup& outer) -> Coro<> {
    outer.create_task(fail("same"));
    co_await with_task_group([&](TaskGroup& inner) -> Coro<> {
      inner.create_task(fail("same"));
      co_return;
    });
  });
  log(co_await outcome(std::move(run)));
  log("cancelling", current_task().cancelling());
}

SCENARIO(gather_of_a_task_that_was_cancelled_before) {
  auto task = create_task(tick(100));
  co_await tick();
  task.cancel();
  co_await outcome(task);
  log(co_await outcome(gather(task, tick(1))));
  log(attempt([&] { task.result(); }));
}
