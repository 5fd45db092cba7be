// shield: the cancel of the one who waits does not reach what is shielded.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

Coro<std::string> work(int count = 3) {
  try {
    co_await tick(count);
  } catch (const CancelledError&) {
    log("work was cancelled");
    throw;
  }
  log("work ends");
  co_return "result";
}

template <class T>
Coro<T> behind_shield(Task<T> task) {
  co_return co_await shield(task);
}

}  // namespace

SCENARIO(a_shield_gives_the_result) { log(co_await shield(create_task(work()))); }

SCENARIO(a_shield_raises_the_exception) {
  auto fail = []() -> Coro<> {
    co_await tick();
    throw ValueError("bad");
  };
  log(co_await outcome(shield(fail())));
}

SCENARIO(a_cancelled_waiter_leaves_the_work_running) {
  auto inner = create_task(work());
  auto outer = create_task(behind_shield(inner));
  co_await tick();
  outer.cancel("only me");
  log(co_await outcome(outer));
  log("inner done", inner.done());
  log(co_await outcome(inner));
}

SCENARIO(a_coroutine_behind_a_shield_goes_on_by_itself) {
  auto outer = []() -> Coro<> { co_await shield(work()); };
  auto task = create_task(outer());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  co_await tick(4);
}

SCENARIO(a_cancel_of_the_inner_reaches_the_waiter) {
  auto inner = create_task(tick(100));
  auto outer = create_task(behind_shield(inner));
  co_await tick();
  inner.cancel();
  log(co_await outcome(outer));
  log("cancelling", outer.cancelling());
}

SCENARIO(after_a_time_limit_the_work_goes_on) {
  auto inner = create_task(work());
  try {
    co_await wait_for(shield(inner), ticks(1));
  } catch (const TimeoutError&) {
    log("time is up; inner done", inner.done());
  }
  log(co_await inner);
}

SCENARIO(a_cancelled_waiter_may_wait_again) {
  auto inner = create_task(work());
  auto stubborn = [&]() -> Coro<std::string> {
    for (;;) {
      try {
        co_return co_await shield(inner);
      } catch (const CancelledError&) {
        log("not now");
      }
    }
  };
  auto outer = create_task(stubborn());
  for (int i = 0; i < 2; ++i) {
    co_await tick(1);
    outer.cancel();
  }
  log(co_await outcome(outer));
}

SCENARIO(what_is_done_needs_no_shield) {
  auto inner = create_task(work(1));
  co_await inner;
  log(co_await shield(inner));
}

SCENARIO(a_cancelled_gather_of_shields_leaves_the_work_running) {
  auto first = create_task(work(3));
  auto second = create_task(work(4));
  auto outer = [&]() -> Coro<> { co_await gather(shield(first), shield(second)); };
  auto task = create_task(outer());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  const auto one = co_await first;
  log(one, co_await second);
}

SCENARIO(two_may_wait_behind_their_own_shields) {
  auto inner = create_task(work());
  auto one = create_task(behind_shield(inner));
  auto two = create_task(behind_shield(inner));
  co_await tick();
  one.cancel();
  log(co_await outcome(one));
  log(co_await outcome(two));
}
