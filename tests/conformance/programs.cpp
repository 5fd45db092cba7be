// run and Runner: what they give, raise, cancel and close.
#include <csignal>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

PROGRAM(run_gives_the_result) {
  auto main = []() -> Coro<int> {
    co_await tick();
    co_return 42;
  };
  log(run(main(), run_options()));
}

PROGRAM(run_raises_the_exception) {
  auto main = []() -> Coro<> {
    co_await tick();
    throw ValueError("from main");
  };
  try {
    run(main(), run_options());
  } catch (const ValueError& error) {
    log(error);
  }
}

PROGRAM(tasks_that_are_left_are_cancelled_and_awaited) {
  auto left = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      log("cancelled");
      throw;
    }
  };
  auto main = [&]() -> Coro<> {
    (void)create_task(left());
    co_await tick();
    log("main ends");
  };
  run(main(), run_options());
  log("run is over");
}

PROGRAM(tasks_that_never_started_never_do) {
  auto left = []() -> Coro<> {
    log("never");
    co_return;
  };
  auto main = [&]() -> Coro<> {
    (void)create_task(left());
    log("main ends");
    co_return;
  };
  run(main(), run_options());
}

PROGRAM(tasks_that_are_left_may_clean_up) {
  auto left = []() -> Coro<> {
    std::exception_ptr error;
    try {
      co_await tick(100);
    } catch (...) {
      error = std::current_exception();
    }
    co_await tick(3);
    log("cleaned up");
    std::rethrow_exception(error);
  };
  auto main = [&]() -> Coro<> {
    (void)create_task(left());
    co_await tick();
  };
  run(main(), run_options());
  log("run is over");
}

PROGRAM(a_task_that_is_left_may_swallow_its_cancel) {
  auto left = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (const CancelledError&) {
      log("swallowed");
    }
    co_await tick(2);
    log("ends in its own time");
  };
  auto main = [&]() -> Coro<> {
    (void)create_task(left());
    co_await tick();
  };
  run(main(), run_options());
}

PROGRAM(a_failure_while_what_is_left_is_cancelled_goes_to_the_handler) {
  auto left = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (...) {
    }
    throw ValueError("while cancelled");
  };
  auto main = [&]() -> Coro<> {
    get_running_loop().set_exception_handler(
        [](const ExceptionContext& context) { log("handler:", context.exception); });
    (void)create_task(left());
    co_await tick();
  };
  run(main(), run_options());
  log("run is over");
}

PROGRAM(what_is_left_is_cancelled_when_main_fails_too) {
  auto left = []() -> Coro<> {
    try {
      co_await tick(100);
    } catch (...) {
      log("cleaned up");
      throw;
    }
  };
  auto main = [&]() -> Coro<> {
    (void)create_task(left());
    co_await tick();
    throw ValueError("main");
  };
  try {
    run(main(), run_options());
  } catch (const ValueError& error) {
    log(error);
  }
}

PROGRAM(a_main_that_is_cancelled_raises_cancelled_error) {
  auto main = []() -> Coro<> {
    current_task().cancel("myself");
    co_await tick();
  };
  try {
    run(main(), run_options());
  } catch (const CancelledError&) {
    log("CancelledError");
  }
}

PROGRAM(runs_follow_one_another) {
  auto main = [](int i) -> Coro<int> {
    co_await tick();
    co_return i;
  };
  std::vector<int> results;
  for (int i = 0; i < 3; ++i) results.push_back(run(main(i), run_options()));
  log(results);
}

PROGRAM(run_inside_a_running_loop_is_refused) {
  auto inner = []() -> Coro<> {
    log("never");
    co_return;
  };
  auto main = [&]() -> Coro<> {
    try {
      run(inner(), run_options());
    } catch (const RuntimeError&) {
      log(kind());
    }
    co_return;
  };
  run(main(), run_options());
}

PROGRAM(a_runner_runs_several_times) {
  auto main = [](int i) -> Coro<int> {
    co_await tick();
    co_return i;
  };
  Runner runner(run_options());
  const int first = runner.run(main(1));
  log(first, runner.run(main(2)));
}

PROGRAM(a_task_outlives_a_run_of_its_runner) {
  auto background = []() -> Coro<> {
    co_await tick(3);
    log("background ends");
  };
  auto first = [&]() -> Coro<> {
    (void)create_task(background());
    log("first ends");
    co_return;
  };
  auto second = []() -> Coro<> {
    co_await tick(5);
    log("second ends");
  };
  Runner runner(run_options());
  runner.run(first());
  runner.run(second());
}

PROGRAM(a_closed_runner_refuses) {
  auto main = []() -> Coro<> {
    log("runs");
    co_return;
  };
  Runner runner(run_options());
  runner.run(main());
  runner.close();
  runner.close();
  try {
    runner.run(main());
  } catch (const RuntimeError&) {
    log("refused");
  }
}

PROGRAM(outside_there_is_no_running_loop) {
  auto work = []() -> Coro<> {
    log("never");
    co_return;
  };
  try {
    (void)create_task(work());
  } catch (const RuntimeError&) {
    log("create_task refused");
  }
  try {
    (void)get_running_loop();
  } catch (const RuntimeError&) {
    log("get_running_loop refused");
  }
}

PROGRAM(an_interrupt_cancels_main) {
  auto main = []() -> Coro<> {
    try {
      (void)std::raise(SIGINT);
      co_await tick(100);
    } catch (const CancelledError&) {
      log("main is cancelled");
      throw;
    }
  };
  try {
    run(main(), run_options());
  } catch (const KeyboardInterrupt&) {
    log("KeyboardInterrupt");
  }
}

PROGRAM(a_main_that_answers_an_interrupt_gives_its_result) {
  auto main = []() -> Coro<std::string> {
    try {
      (void)std::raise(SIGINT);
      co_await tick(100);
    } catch (const CancelledError&) {
      log("main is cancelled");
    }
    co_return "last words";
  };
  log(run(main(), run_options()));
}

PROGRAM(a_generator_that_was_left_is_closed_before_run_returns) {
  auto items = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
      co_yield 2;
    } catch (...) {
      log("closed");
      throw;
    }
  };
  auto main = [&]() -> Coro<> {
    auto generator = items();
    log(co_await generator.next());
    log("main ends");
  };
  run(main(), run_options());
  log("run is over");
}

PROGRAM(a_loop_that_was_closed_takes_nothing) {
  auto main = []() -> Coro<Loop*> { co_return &get_running_loop(); };
  Runner runner(run_options());
  Loop* loop = runner.run(main());
  runner.close();
  try {
    loop->call_soon_threadsafe([] { log("never"); });
  } catch (const RuntimeError&) {
    log("refused");
  }
}
