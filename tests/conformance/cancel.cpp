// Task::cancel: delivered once, at the suspension in progress or the next; who may swallow it.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

SCENARIO(a_task_cancelled_before_its_start_never_runs) {
  auto work = []() -> Coro<> {
    log("never");
    co_return;
  };
  auto task = create_task(work());
  log("cancel", task.cancel());
  log(co_await outcome(task));
  log("cancelled", task.cancelled());
}

SCENARIO(a_cancel_is_raised_where_the_task_waits) {
  auto work = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError& error) {
      log("in the task", error);
      log("finally");
      throw;
    }
  };
  auto task = create_task(work());
  co_await tick();
  log("cancel", task.cancel("enough"));
  log("done", task.done());
  log(co_await outcome(task));
  log("done", task.done(), "cancelled", task.cancelled(), "cancelling", task.cancelling());
}

SCENARIO(two_cancels_before_delivery_are_raised_once) {
  auto work = []() -> Coro<std::string> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      log("raised");
    }
    co_await tick();
    co_return "went on";
  };
  auto task = create_task(work());
  co_await tick();
  const bool first = task.cancel();
  const bool second = task.cancel();
  log(first, second, task.cancelling());
  log(co_await outcome(task));
}

SCENARIO(a_done_task_cannot_be_cancelled) {
  auto work = []() -> Coro<int> { co_return 1; };
  auto task = create_task(work());
  co_await task;
  const bool cancel = task.cancel();
  log("cancel", cancel, "cancelling", task.cancelling());
  log("cancelled", task.cancelled(), "result", task.result());
}

SCENARIO(a_swallowed_cancel_is_not_raised_again) {
  auto work = []() -> Coro<int> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      log("swallowed; cancelling", current_task().cancelling());
    }
    co_await tick();
    log("next await is fine; cancelling", current_task().cancelling());
    co_return 3;
  };
  auto task = create_task(work());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  log("cancelled", task.cancelled());
}

SCENARIO(uncancel_takes_back_one_request) {
  auto work = []() -> Coro<> {
    for (int i = 0; i < 2; ++i) {
      try {
        co_await tick(100);
      } catch (const CancelledError&) {
        log("cancelling", current_task().cancelling());
      }
    }
    auto task = current_task();
    const int one = task.uncancel();
    const int none = task.uncancel();
    log(one, none, task.uncancel());
  };
  auto task = create_task(work());
  co_await tick();
  task.cancel();
  co_await tick();
  task.cancel();
  co_await task;
}

SCENARIO(a_second_cancel_interrupts_the_clean_up) {
  auto work = []() -> Coro<> {
    std::exception_ptr error;
    try {
      co_await tick(100);
    } catch (...) {
      error = std::current_exception();
    }
    log("cleaning");
    try {
      co_await tick(100);
      log("never");
    } catch (...) {
      log("clean-up cut short");
      throw;
    }
    std::rethrow_exception(error);
  };
  auto cleaned = [&]() -> Coro<> { co_await work(); };
  auto task = create_task(cleaned());
  co_await tick();
  task.cancel("one");
  co_await tick();
  log("done", task.done());
  task.cancel("two");
  log(co_await outcome(task));
}

SCENARIO(clean_up_may_await) {
  auto work = []() -> Coro<> {
    std::exception_ptr error;
    try {
      co_await tick(100);
    } catch (...) {
      error = std::current_exception();
    }
    co_await tick(2);
    log("cleaned");
    std::rethrow_exception(error);
  };
  auto task = create_task(work());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(a_cancel_goes_to_the_task_that_is_awaited) {
  auto child = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError& error) {
      log("child", error);
      throw;
    }
  };
  auto inner = create_task(child());
  auto parent = [&]() -> Coro<> {
    try {
      co_await inner;
    } catch (const CancelledError& error) {
      log("parent", error);
      throw;
    }
  };
  auto outer = create_task(parent());
  co_await tick();
  outer.cancel("pass it on");
  log(co_await outcome(outer));
  log("child cancelled", inner.cancelled(), "cancelling", inner.cancelling());
}

SCENARIO(a_parent_waits_until_its_cancelled_child_has_cleaned_up) {
  auto child = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
    }
    co_await tick(3);
    log("child cleaned up");
    throw CancelledError();
  };
  auto inner = create_task(child());
  auto parent = [&]() -> Coro<> {
    try {
      co_await inner;
    } catch (...) {
      log("parent ends");
      throw;
    }
  };
  auto outer = create_task(parent());
  co_await tick();
  outer.cancel();
  co_await outcome(outer);
}

SCENARIO(a_child_that_swallows_the_cancel_gives_its_parent_a_result) {
  auto child = []() -> Coro<std::string> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      log("child swallows");
    }
    co_return "in spite";
  };
  auto inner = create_task(child());
  auto parent = [&]() -> Coro<std::string> {
    log("child gave", co_await inner);
    log("cancelling", current_task().cancelling());
    co_await tick();
    co_return "parent went on";
  };
  auto outer = create_task(parent());
  co_await tick();
  outer.cancel();
  log(co_await outcome(outer));
}

namespace {
Coro<> frame(int depth) {
  try {
    if (depth == 3) {
      co_await tick(100);
    } else {
      co_await frame(depth + 1);
    }
  } catch (...) {
    log("leaving", depth);
    throw;
  }
}
}  // namespace

SCENARIO(a_cancel_passes_through_every_frame_from_the_inside) {
  auto task = create_task(frame(0));
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(a_task_that_cancels_itself_hears_of_it_at_its_next_suspension) {
  auto no_suspension = []() -> Coro<std::string> { co_return "no suspension"; };
  auto work = [&]() -> Coro<> {
    current_task().cancel();
    log("still running");
    log(co_await no_suspension());
    try {
      co_await sleep(0ms);
    } catch (const CancelledError&) {
      log("now");
      throw;
    }
  };
  log(co_await outcome(create_task(work())));
}

SCENARIO(a_task_that_cancels_itself_and_returns_is_cancelled) {
  auto work = []() -> Coro<std::string> {
    current_task().cancel();
    co_return "lost";
  };
  auto task = create_task(work());
  log(co_await outcome(task));
  log("cancelled", task.cancelled());
}

SCENARIO(another_exception_takes_the_place_of_the_cancel) {
  auto work = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      throw ValueError("instead");
    }
  };
  auto task = create_task(work());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  log("cancelled", task.cancelled(), "exception", task.exception());
}

SCENARIO(a_cancelled_error_raised_by_hand_cancels_the_task) {
  auto work = []() -> Coro<> {
    co_await tick();
    throw CancelledError("by hand");
  };
  auto task = create_task(work());
  log(co_await outcome(task));
  log("cancelled", task.cancelled(), "cancelling", task.cancelling());
}

SCENARIO(awaiting_a_cancelled_task_does_not_cancel_the_one_who_awaits) {
  auto parent = [](Task<> child) -> Coro<> {
    log(co_await outcome(child));
    log("cancelling", current_task().cancelling());
    co_await tick();
    log("parent goes on");
  };
  auto child = create_task(tick(100));
  auto task = create_task(parent(child));
  co_await tick();
  child.cancel();
  co_await task;
}

SCENARIO(handlers_of_ordinary_exceptions_do_not_see_a_cancel) {
  auto work = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const std::exception&) {
      log("never");
    }
  };
  auto task = create_task(work());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(a_stubborn_task_is_cancelled_as_often_as_it_is_asked) {
  auto work = []() -> Coro<std::string> {
    for (int attempt = 0; attempt < 4; ++attempt) {
      try {
        co_await tick(100);
      } catch (const CancelledError&) {
        log("ignored", attempt);
      }
    }
    co_return "done at last";
  };
  auto task = create_task(work());
  for (int i = 0; i < 4; ++i) {
    co_await tick();
    task.cancel();
  }
  log(co_await outcome(task));
  log("cancelling", task.cancelling());
}

SCENARIO(cancelled_tasks_end_in_the_order_of_their_cancels) {
  auto work = [](std::string name) -> Coro<> {
    try {
      co_await tick(100);
    } catch (...) {
      log(name);
      throw;
    }
  };
  auto a = create_task(work("a"));
  auto b = create_task(work("b"));
  auto c = create_task(work("c"));
  co_await tick();
  c.cancel();
  a.cancel();
  b.cancel();
  co_await tick();
}

SCENARIO(a_callback_may_cancel) {
  auto work = []() -> Coro<> { co_await tick(100); };
  auto task = create_task(work());
  get_running_loop().call_later(ticks(1), [=] { task.cancel("from a callback"); });
  log(co_await outcome(task));
}

SCENARIO(the_result_of_a_cancelled_task_is_a_cancelled_error) {
  auto task = create_task(tick(100));
  co_await tick();
  task.cancel("text");
  co_await outcome(task);
  try {
    task.result();
  } catch (const CancelledError& error) {
    log(error);
  }
  try {
    (void)task.exception();
  } catch (const CancelledError& error) {
    log(error);
  }
}

SCENARIO(a_task_that_only_yields_can_be_cancelled) {
  auto work = []() -> Coro<> {
    for (;;) co_await sleep(0ms);
  };
  auto task = create_task(work());
  co_await sleep(0ms);
  co_await sleep(0ms);
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(done_callbacks_hear_of_a_cancelled_task) {
  auto task = create_task(tick(100));
  task.add_done_callback([](const Future<>& done) { log("cancelled", done.cancelled()); });
  co_await tick();
  task.cancel();
  co_await tick();
}

namespace {
Coro<> link_of(int depth) {
  if (depth == 0) {
    co_await tick(100);
  } else {
    co_await create_task(link_of(depth - 1));
  }
}
}  // namespace

SCENARIO(a_cancel_reaches_the_end_of_a_chain_of_tasks) {
  auto task = create_task(link_of(20));
  co_await tick();
  task.cancel("far");
  log(co_await outcome(task));
  log("left", all_tasks().size());
}
