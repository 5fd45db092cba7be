// Task groups, time limits and combinators inside one another.
#include <algorithm>
#include <mutex>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

Coro<> fail(std::string text, int count = 1) {
  co_await tick(count);
  throw ValueError(text);
}

template <class T>
Coro<T> give(T value, int count = 1) {
  co_await tick(count);
  co_return value;
}
Coro<std::string> give(const char* value, int count = 1) { return give(std::string(value), count); }

Coro<> too_long() { co_await tick(100); }

}  // namespace

SCENARIO(the_body_may_await_the_groups_tasks) {
  co_await with_task_group([](TaskGroup& group) -> Coro<> {
    auto one = group.create_task(give("one", 2));
    auto two = group.create_task(give("two", 1));
    const auto second = co_await two;
    const auto first = co_await one;
    log(second, first, "at", passed());
  });
}

SCENARIO(a_body_that_awaits_the_task_that_fails) {
  auto run = with_task_group([](TaskGroup& group) -> Coro<> {
    auto task = group.create_task(fail("once"));
    co_await task;
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_body_that_handles_the_failure_of_its_task_does_not_save_the_group) {
  auto run = with_task_group([](TaskGroup& group) -> Coro<> {
    auto task = group.create_task(fail("bad"));
    co_await wait({task});
    log("seen", task.exception());
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(gather_in_a_group) {
  co_await with_task_group([](TaskGroup& group) -> Coro<> {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(group.create_task(give(i, 3 - i)));
    log(co_await gather(tasks));
  });
}

SCENARIO(a_group_in_a_gather) {
  auto batch = [](int base) -> Coro<std::vector<int>> {
    std::vector<Task<int>> tasks;
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < 2; ++i) tasks.push_back(group.create_task(give(base + i)));
      co_return;
    });
    std::vector<int> results;
    for (auto& task : tasks) results.push_back(task.result());
    co_return results;
  };
  std::vector<Coro<std::vector<int>>> batches;
  batches.push_back(batch(0));
  batches.push_back(batch(10));
  log(co_await gather(std::move(batches)));
}

SCENARIO(a_group_that_takes_too_long) {
  auto work = [](std::string name, int count) -> Coro<> {
    try {
      co_await tick(count);
      log(name, "done");
    } catch (const CancelledError&) {
      log(name, "cancelled");
      throw;
    }
  };
  auto run = with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(work("quick", 1));
    group.create_task(work("slow", 100));
    co_return;
  });
  const auto ended = co_await outcome(wait_for(std::move(run), ticks(3)));
  log(ended, "at", passed());
}

SCENARIO(a_failure_while_time_is_up_is_raised_instead) {
  auto breaks = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      throw ValueError("while cancelled");
    }
  };
  auto run = timeout(ticks(1), [&]() -> Coro<> {
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(breaks());
      co_return;
    });
  });
  log(co_await outcome(std::move(run)));
  log("cancelling", current_task().cancelling());
}

SCENARIO(a_limit_inside_the_body_of_a_group) {
  co_await with_task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(tick(3));
    try {
      co_await timeout(ticks(1), too_long);
    } catch (const TimeoutError&) {
      log("body's limit at", passed());
    }
  });
  log("group ends at", passed());
}

SCENARIO(a_child_fails_inside_a_limit_of_the_body) {
  auto run = with_task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(fail("child"));
    co_await timeout(ticks(50), [](Timeout& limit) -> Coro<> {
      try {
        co_await tick(100);
      } catch (...) {
        log("expired", limit.expired());
        throw;
      }
    });
  });
  const auto ended = co_await outcome(std::move(run));
  log(ended, "at", passed());
}

SCENARIO(a_group_entered_with_a_cancel_on_its_way) {
  auto run = []() -> Coro<> {
    current_task().cancel("on its way");
    co_await with_task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(tick(100));
      co_return;
    });
    log("never");
  };
  const auto ended = co_await outcome(create_task(run()));
  log(ended, "at", passed());
}

SCENARIO(a_group_that_fails_in_a_cancelled_task_cancels_it_anew) {
  auto run = []() -> Coro<std::string> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
    }
    try {
      co_await with_task_group([](TaskGroup& group) -> Coro<> {
        group.create_task(fail("bad"));
        co_return;
      });
    } catch (const ExceptionGroup& caught) {
      log("caught", caught);
    }
    log("cancelling", current_task().cancelling());
    co_await tick();
    co_return "never";
  };
  auto task = create_task(run());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(a_child_cancelled_by_hand_from_inside) {
  auto cancels_itself = []() -> Coro<> {
    throw CancelledError("own");
    co_return;
  };
  Task<> task;
  Task<std::string> other;
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    task = group.create_task(cancels_itself());
    other = group.create_task(give("other"));
    co_return;
  });
  log("cancelled", task.cancelled(), other.result());
}

SCENARIO(a_child_that_raises_cancelled_error_into_a_gather) {
  auto cancels_itself = []() -> Coro<> {
    co_await tick();
    throw CancelledError("own");
  };
  log(co_await outcome(gather(cancels_itself(), give("other", 2))));
  log("cancelling", current_task().cancelling());
  co_await tick(2);
}

SCENARIO(wait_for_an_inner_that_raises_cancelled_error) {
  auto cancels_itself = []() -> Coro<> {
    co_await tick();
    throw CancelledError("own");
  };
  log(co_await outcome(wait_for(cancels_itself(), ticks(5))));
  co_await tick();
  log("cancelling", current_task().cancelling());
}

SCENARIO(shield_in_a_group_that_fails) {
  std::vector<std::string> saved;
  auto save = [&]() -> Coro<> {
    co_await tick(4);
    saved.push_back("saved");
  };
  auto saving = create_task(save());
  auto run = with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(fail("bad"));
    co_await shield(saving);
  });
  const auto ended = co_await outcome(std::move(run));
  log(ended, "at", passed());
  co_await saving;
  log(saved, "at", passed());
}

namespace {

struct Ended {
  std::mutex mutex;
  std::vector<int> count = std::vector<int>(5);
};

Coro<> tree_node(Ended& ended, int depth) {
  try {
    if (depth == 0) co_await tick(100);
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(tree_node(ended, depth - 1));
      group.create_task(tree_node(ended, depth - 1));
      co_return;
    });
  } catch (...) {
    const std::lock_guard lock(ended.mutex);
    ++ended.count[static_cast<std::size_t>(depth)];
    throw;
  }
}

Coro<> failing_node(int depth) {
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(depth == 0 ? fail("deep") : failing_node(depth - 1));
    co_return;
  });
}

}  // namespace

SCENARIO(a_tree_of_groups_ends_as_one) {
  Ended ended;
  auto task = create_task(tree_node(ended, 4));
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  log(ended.count);
}

SCENARIO(a_failure_deep_down_is_nested_in_groups) { log(co_await outcome(failing_node(3))); }

SCENARIO(a_failure_and_a_cancel_from_outside_are_both_heard_of) {
  auto cancelled = create_future();
  auto fails_when_cancelled = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      throw ValueError("child");
    }
  };
  auto run = [&]() -> Coro<> {
    try {
      co_await with_task_group([&](TaskGroup& group) -> Coro<> {
        group.create_task(fails_when_cancelled());
        co_await cancelled;
      });
    } catch (const ExceptionGroup&) {
      log("handler; cancelling", current_task().cancelling());
    }
    co_await tick();
    log("never");
  };
  auto task = create_task(run());
  co_await tick();
  task.cancel("from outside");
  log(co_await outcome(task));
  log("cancelled", task.cancelled());
}
