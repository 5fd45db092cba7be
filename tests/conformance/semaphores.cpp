// Semaphore, BoundedSemaphore, Barrier: permits, fairness, rounds, breaking.
#include <algorithm>
#include <atomic>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

SCENARIO(a_semaphore_of_three_over_five_jobs) {
  Semaphore semaphore(3);
  auto job = [&](int count) -> Coro<> {
    auto permit = co_await semaphore.scoped();
    co_await tick(count);
  };
  std::vector<Coro<>> jobs;
  for (const int count : {1, 2, 3, 2, 3}) jobs.push_back(job(count));
  co_await gather(std::move(jobs));
  log("over at", passed());
}

SCENARIO(never_more_inside_than_permits) {
  Semaphore semaphore(4);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  auto job = [&]() -> Coro<> {
    auto permit = co_await semaphore.scoped();
    const int now = ++inside;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    co_await tick(1);
    --inside;
  };
  std::vector<Coro<>> jobs;
  for (int i = 0; i < 16; ++i) jobs.push_back(job());
  co_await gather(std::move(jobs));
  log("most", most.load(), "over at", passed());
}

SCENARIO(a_permit_goes_to_who_came_first) {
  Semaphore semaphore(0);
  auto waiter = [&](std::string name) -> Coro<> {
    co_await semaphore.acquire();
    log(name);
  };
  std::vector<Task<>> tasks;
  for (const auto* name : {"a", "b", "c"}) tasks.push_back(create_task(waiter(name)));
  co_await tick();
  for (int i = 0; i < 3; ++i) {
    semaphore.release();
    co_await tick();
  }
  co_await gather(tasks);
}

SCENARIO(a_permit_does_not_go_past_who_waits) {
  Semaphore semaphore(1);
  auto waiter = [&]() -> Coro<> {
    auto permit = co_await semaphore.scoped();
    log("waiter has it");
  };
  co_await semaphore.acquire();
  auto task = create_task(waiter());
  co_await tick();
  semaphore.release();
  {
    auto permit = co_await semaphore.scoped();
    log("newcomer has it");
  }
  co_await task;
}

SCENARIO(locked_says_whether_one_would_have_to_wait) {
  Semaphore semaphore(2);
  log("locked", semaphore.locked());
  co_await semaphore.acquire();
  co_await semaphore.acquire();
  log("locked", semaphore.locked());
  semaphore.release();
  log("locked", semaphore.locked());
}

SCENARIO(a_cancelled_waiter_takes_no_permit) {
  Semaphore semaphore(0);
  auto waiter = [&]() -> Coro<std::string> {
    co_await semaphore.acquire();
    co_return "has it";
  };
  auto cancelled = create_task(waiter());
  co_await tick();
  auto other = create_task(waiter());
  co_await tick();
  cancelled.cancel();
  log(co_await outcome(cancelled));
  semaphore.release();
  const auto ended = co_await outcome(other);
  log(ended, "locked", semaphore.locked());
}

SCENARIO(a_semaphore_may_grow) {
  Semaphore semaphore(1);
  for (int i = 0; i < 3; ++i) semaphore.release();
  for (int i = 0; i < 4; ++i) co_await semaphore.acquire();
  log("locked", semaphore.locked());
}

SCENARIO(a_bounded_semaphore_does_not_grow) {
  BoundedSemaphore semaphore(1);
  log(attempt([&] { semaphore.release(); }));
  co_await semaphore.acquire();
  log(attempt([&] { semaphore.release(); }));
  log(attempt([&] { semaphore.release(); }));
}

SCENARIO(a_semaphore_needs_at_least_zero) {
  log(attempt([] { Semaphore semaphore(-1); }));
  Semaphore empty(0);
  log("locked", empty.locked());
  co_return;
}

SCENARIO(waiting_for_a_permit_may_have_a_limit) {
  Semaphore semaphore(0);
  try {
    co_await wait_for(semaphore.acquire(), ticks(2));
  } catch (const TimeoutError&) {
    log("none at", passed());
  }
  semaphore.release();
  co_await wait_for(semaphore.acquire(), ticks(2));
  log("locked", semaphore.locked());
}

SCENARIO(a_barrier_lets_all_through_together) {
  Barrier barrier(3);
  auto party = [&](int count) -> Coro<> {
    co_await tick(count);
    co_await barrier.wait();
    log("through at", passed());
  };
  co_await gather(party(1), party(2), party(3));
}

SCENARIO(each_party_gets_another_number) {
  Barrier barrier(4);
  auto party = [&]() -> Coro<int> { co_return co_await barrier.wait(); };
  std::vector<Coro<int>> parties;
  for (int i = 0; i < 4; ++i) parties.push_back(party());
  auto numbers = co_await gather(std::move(parties));
  std::sort(numbers.begin(), numbers.end());
  log(numbers);
}

SCENARIO(a_barrier_can_be_used_round_after_round) {
  Barrier barrier(2);
  auto party = [&](int count) -> Coro<> {
    for (int i = 0; i < 3; ++i) {
      co_await tick(count);
      co_await barrier.wait();
    }
  };
  co_await gather(party(1), party(2));
  log("over at", passed());
}

SCENARIO(a_barrier_counts_who_waits) {
  Barrier barrier(3);
  log("parties", barrier.parties(), "waiting", barrier.n_waiting(), "broken", barrier.broken());
  auto party = [&]() -> Coro<> { co_await barrier.wait(); };
  std::vector tasks{create_task(party()), create_task(party())};
  co_await tick();
  log("waiting", barrier.n_waiting());
  co_await barrier.wait();
  co_await gather(tasks);
  log("waiting", barrier.n_waiting());
}

SCENARIO(a_cancelled_party_leaves_its_place) {
  Barrier barrier(2);
  auto party = [&]() -> Coro<std::string> {
    co_await barrier.wait();
    co_return "through";
  };
  auto cancelled = create_task(party());
  co_await tick();
  cancelled.cancel();
  const auto ended = co_await outcome(cancelled);
  log(ended, "waiting", barrier.n_waiting());
  std::vector<Coro<std::string>> both;
  both.push_back(party());
  both.push_back(party());
  log(co_await gather(std::move(both)));
}

SCENARIO(an_aborted_barrier_is_broken_for_all) {
  Barrier barrier(3);
  auto party = [&]() -> Coro<> { co_await barrier.wait(); };
  std::vector tasks{create_task(party()), create_task(party())};
  co_await tick();
  co_await barrier.abort();
  for (auto& task : tasks) log(co_await outcome(task));
  log("broken", barrier.broken());
  log(co_await outcome(barrier.wait()));
}

SCENARIO(a_reset_barrier_is_new_for_those_who_come) {
  Barrier barrier(2);
  auto party = [&]() -> Coro<std::string> {
    co_await barrier.wait();
    co_return "through";
  };
  auto waiting = create_task(party());
  co_await tick();
  co_await barrier.reset();
  log(co_await outcome(waiting));
  co_await tick();
  log("broken", barrier.broken());
  std::vector<Coro<std::string>> both;
  both.push_back(party());
  both.push_back(party());
  log(co_await gather(std::move(both)));
}

SCENARIO(a_barrier_needs_a_party) {
  log(attempt([] { Barrier barrier(0); }));
  co_return;
}
