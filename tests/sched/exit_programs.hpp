// What the child processes of exit_test.cpp do.
#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <coil/detail/loops.hpp>
#include <coil/future.hpp>
#include <coil/run.hpp>
#include <coil/sleep.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <topology.hpp>
#include <vector>

namespace exit_programs {

using namespace coil;
using namespace std::chrono_literals;

// At once, whole lines: the parent waits for them.
inline void say(const std::string& text) {
  std::fputs((text + "\n").c_str(), stdout);
  std::fflush(stdout);
}

// Says so when the frame that holds it is unwound.
struct Unwound {
  explicit Unwound(std::string n) : name(std::move(n)) {}
  Unwound(const Unwound&) = delete;
  Unwound& operator=(const Unwound&) = delete;
  ~Unwound() { say(name + " unwound"); }
  std::string name;
};

inline std::atomic<std::size_t> waiting{0};

inline Coro<> wait_for_ever(std::string name) {
  const Unwound unwound(name);
  ++waiting;
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    say(name + " cancelled");
    throw;
  }
}

// Returns once all of them run: one that has not started is not unwound, it never was.
inline Coro<> leave_tasks() {
  const auto loops = detail::running_loops("test");
  for (Loop* loop : loops)
    loop->create_task(wait_for_ever("task on " + std::to_string(loop->index())));
  create_task(wait_for_ever("task"));
  while (waiting != loops.size() + 1) co_await sleep(100us);
}

inline Coro<int> throws() {
  const Unwound unwound("main");
  co_await leave_tasks();
  throw std::out_of_range("the reason");
}
inline Coro<int> throws_no_exception() {
  struct Odd {};
  co_await sleep(0ms);
  throw Odd();
}
inline Coro<int> cancels_itself() {
  current_task().cancel("myself");
  co_await sleep(1h);
  co_return 0;
}
inline Coro<int> leaves_tasks() {
  co_await leave_tasks();
  say("main returns");
  co_return 5;
}
inline Coro<int> sleeps() {
  const Unwound unwound("main");
  co_await leave_tasks();
  say("ready");
  co_await wait_for_ever("main");
  co_return 0;
}
inline Coro<int> hogs() {
  co_await sleep(1ms);
  say("ready");
  for (std::atomic<int> n{0};; ++n) {
  }
  co_return 0;
}
inline Coro<int> leaves_a_hog() {
  Loop* last = detail::running_loops("test").back();
  auto hog = last->create_task([]() -> Coro<> {
    say("ready");
    for (std::atomic<int> n{0};; ++n) {
    }
    co_return;
  });
  co_await wait_for_ever("main");
  co_return 0;
}
inline Coro<int> swallows() {
  say("ready");
  for (;;) {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      say("swallowed");
    }
  }
}
inline Coro<int> swallows_and_returns() {
  say("ready");
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    say("swallowed");
  }
  co_return 7;
}
// When the signal comes nothing will suspend any more.
inline Coro<int> ends_interrupted() {
  co_await sleep(1ms);
  ::raise(SIGINT);
  co_return 5;
}
// Takes its time to clean up, which a first interrupt must not cut short.
inline Coro<int> cleans_up_slowly() {
  auto slow = create_task([]() -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
    }
    say("cleaning");
    co_await sleep(200ms);
    say("cleaned up");
  });
  co_await sleep(1ms);
  co_return 0;
}
// Something of everything, and over after some 20 ms.
inline Coro<int> is_busy() {
  auto worker = [](int n) -> Coro<> {
    for (int i = 0; i < 20; ++i) {
      co_await sleep(std::chrono::microseconds(100 * n));
      co_await create_task([]() -> Coro<> { co_await sleep(0ms); });
    }
  };
  say("ready");
  co_await leave_tasks();
  std::vector<Task<>> tasks;
  for (int n = 0; n < 10; ++n) tasks.push_back(create_task(worker, n));
  for (Loop* loop : detail::running_loops("test")) tasks.push_back(loop->create_task(worker, 5));
  for (auto& task : tasks) co_await task;
  co_return 0;
}

inline int run_and_catch() {
  try {
    return run(sleeps());
  } catch (const KeyboardInterrupt& interrupt) {
    say(std::string("caught ") + interrupt.what());
    return 3;
  }
}
inline const RunOptions graceful{.sigterm = true};
inline int run_and_catch_termination() {
  try {
    return run(sleeps(), graceful);
  } catch (const TerminationRequest& request) {
    say(std::string("caught ") + request.what());
    return 3;
  }
}
// Main itself takes its time to clean up.
inline Coro<int> unwinds_slowly() {
  bool cancelled = false;
  say("ready");
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (!cancelled) co_return 1;
  say("cleaning");
  co_await sleep(200ms);
  say("cleaned up");
  throw CancelledError();
}
// The first is swallowed for good, so that the other counts.
inline Coro<int> survives_one_interrupt() {
  say("ready");
  for (int i = 0; i < 2; ++i) {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      if (i == 1) throw;
      current_task().uncancel();
      say("survived");
    }
  }
  co_return 1;
}
// The signal is as it was before: the next one ends the program, the one after has no chance.
inline int run_and_interrupt_afterwards() {
  (void)run(leaves_tasks());
  ::raise(SIGINT);
  say("still here");
  return 0;
}
inline int run_with_own_handler() {
  static std::atomic<bool> seen{false};
  ::signal(SIGINT, [](int) { seen = true; });
  return run([]() -> Coro<int> {
    say("ready");
    while (!seen) co_await sleep(1ms);
    say("own handler");
    co_return 4;
  });
}
inline int run_ignoring_interrupts() {
  ::signal(SIGINT, SIG_IGN);
  const int code = run([]() -> Coro<int> {
    ::raise(SIGINT);
    co_await sleep(5ms);
    co_return 6;
  });
  return ::signal(SIGINT, SIG_DFL) == SIG_IGN ? code : 1;
}
// What run() has nothing to do with ends as ever.
inline int throw_after_run() {
  try {
    (void)run(throws());
  } catch (const std::out_of_range&) {
  }
  throw std::length_error("not from a run");
}
inline int catch_and_throw_on() {
  try {
    return run(throws());
  } catch (...) {
    say("on its way");
    throw;
  }
}

// With KIT_PROCESSOR=n only that processor is allowed.
inline int say_loops() {
  if (const char* processor = std::getenv("KIT_PROCESSOR")) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(std::stoul(processor), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) return 98;
  }
  say("loops " + std::to_string(Runner().loops().size()));
  for (const auto& processor : detail::Topology::machine().processors)
    say("processor " + std::to_string(processor.os_index));
  return 0;
}

// Room for the rings and for some of the threads' stacks.
inline int start_too_many_threads() {
  constexpr rlim_t room = rlim_t{400} << 20;
  const rlimit limit{.rlim_cur = room, .rlim_max = room};
  if (::setrlimit(RLIMIT_AS, &limit) != 0) return 98;
  try {
    Runner runner({.loops = 200});
  } catch (const std::system_error& error) {
    say(error.what());
  }
  return Runner({.loops = 2}).run([]() -> Coro<int> { co_return co_await sleep(1ms, 8); });
}

inline int run_program(const std::string& name) {
  const std::map<std::string, int (*)()> programs = {
      {"throws", [] { return run(throws()); }},
      {"throws_no_exception", [] { return run(throws_no_exception()); }},
      {"cancels_itself", [] { return run(cancels_itself()); }},
      {"leaves_tasks", [] { return run(leaves_tasks()); }},
      {"sleeps", [] { return run(sleeps()); }},
      {"hogs", [] { return run(hogs()); }},
      {"leaves_a_hog", [] { return run(leaves_a_hog()); }},
      {"swallows", [] { return run(swallows()); }},
      {"swallows_and_returns", [] { return run(swallows_and_returns()); }},
      {"cleans_up_slowly", [] { return run(cleans_up_slowly()); }},
      {"is_busy", [] { return run(is_busy()); }},
      {"run_and_catch", run_and_catch},
      {"sleeps_graceful", [] { return run(sleeps(), graceful); }},
      {"swallows_graceful", [] { return run(swallows(), graceful); }},
      {"leaves_a_hog_graceful", [] { return run(leaves_a_hog(), graceful); }},
      {"unwinds_slowly", [] { return run(unwinds_slowly(), graceful); }},
      {"survives_one_interrupt", [] { return run(survives_one_interrupt(), graceful); }},
      {"run_and_catch_termination", run_and_catch_termination},
      {"run_and_interrupt_afterwards", run_and_interrupt_afterwards},
      {"run_with_own_handler", run_with_own_handler},
      {"ends_interrupted", [] { return run(ends_interrupted()); }},
      {"run_ignoring_interrupts", run_ignoring_interrupts},
      {"say_loops", say_loops},
      {"start_too_many_threads", start_too_many_threads},
      {"throw_after_run", throw_after_run},
      {"catch_and_throw_on", catch_and_throw_on},
  };
  const auto found = programs.find(name);
  if (found == programs.end()) return 99;
  return found->second();
}

}  // namespace exit_programs
