// Runs the body of one test on a Runner of its own, watches it, and says what is wrong with it.
//
// Invariant: run_test returns when nothing of the test is left, or the program ends: a body that
// can neither be waited for nor cancelled gets as long again, and is then named on standard error.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <coil/call_graph.hpp>
#include <coil/coro.hpp>
#include <coil/detail/task_view.hpp>
#include <coil/loop.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/wait.hpp>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace coil::testing::detail {

// As RunOptions, but that debug mode is on.
struct TestOptions {
  TimeLimit timeout = std::chrono::seconds(10);
  int loops = 0;
  bool debug = true;
  Backend backend = Backend::automatic;  // sim: virtual time, see simulate
  std::uint64_t seed = 0;
};

inline TestOptions options_of(TestOptions options = {}) { return options; }

inline void require_simulated(Loop& loop) {
  if (!loop.is_simulated())
    throw std::runtime_error(
        "MockClock: this loop runs on the real clock; use COIL_TEST with {.backend = "
        "coil::Backend::sim}, or coil::testing::simulate");
}

// Tasks other than the caller's that have not ended. Those that are just about to are given a
// moment: what one awaited may have been the last act of a task that is still on another loop.
inline Coro<std::vector<TaskRef>> leftover_tasks(bool several_loops) {
  const TaskRef self = current_task();
  std::vector<TaskRef> left;
  for (int round = 0; round < 20; ++round) {
    left = all_tasks();
    std::erase(left, self);
    if (left.empty()) break;
    const bool patient = several_loops && round >= 10;
    co_await sleep(patient ? std::chrono::milliseconds(1) : std::chrono::milliseconds(0));
  }
  co_return left;
}

// Those who wait for something that is no task of the list come first: the others await them, and
// are in their graphs.
inline std::string graphs_of(const std::vector<TaskRef>& tasks) {
  std::string text;
  std::vector<TaskRef> shown;
  const auto note = [&](const auto& again, const FutureCallGraph& graph) -> void {
    shown.push_back(graph.task);
    for (const auto& awaiter : graph.awaited_by) again(again, awaiter);
  };
  std::vector<FutureCallGraph> graphs;
  for (const auto& task : tasks) graphs.push_back(capture_call_graph(task));
  for (const auto& graph : graphs)
    for (const auto& awaiter : graph.awaited_by) note(note, awaiter);
  for (const auto& graph : graphs)
    if (std::find(shown.begin(), shown.end(), graph.task) == shown.end())
      text += format_call_graph(graph);
  // Nobody is left if all of them wait for each other.
  return text.empty() && !graphs.empty() ? format_call_graph(graphs.front()) : text;
}

inline std::string describe_failure(const TaskRef& task) {
  const auto stack = task.get_stack();
  std::string text = "threw " + coil::detail::describe(task.exception());
  if (!stack.empty())
    text +=
        "\n  await stack (most recent await last):\n" + coil::detail::format_stack(stack, "    ");
  return text;
}

struct Place {
  const char* file;
  int line;
};

inline void fail(const Place& place, const std::string& text) {
  ADD_FAILURE_AT(place.file, place.line) << text;
}

// The main task: starts the body as a task of its own, so that both can be told apart.
template <class Body>
Coro<> supervise(Body& body, const TestOptions& options, Place place, std::size_t loops) {
  const TaskRef self = current_task();
  self.set_name("test");
  const Task<> task = create_task(body(), {.name = "test body"});
  (void)co_await wait(std::vector<Task<>>{task}, {.timeout = options.timeout});
  if (!task.done()) {
    auto hanging = all_tasks();
    std::erase(hanging, self);
    fail(place, "the test did not end in time; what it waits for:\n" + graphs_of(hanging));
    co_return;  // the Runner cancels it, and waits for that
  }
  if (task.cancelled()) {
    fail(place, "the test's task was cancelled");
  } else if (task.exception()) {
    fail(place, "the test " + describe_failure(task));
  }
  const auto left = co_await leftover_tasks(loops > 1);
  if (!left.empty())
    fail(place, "the test left " + std::to_string(left.size()) +
                    (left.size() == 1 ? " task" : " tasks") +
                    " over: await or cancel what it starts\n" + graphs_of(left));
}

// Ends the program if it lives too long.
class LastResort {
 public:
  LastResort(const TimeLimit& limit, std::string test) : test_(std::move(test)) {
    if (!limit.has_value()) return;
    const auto patience =
        2 * std::min<Duration>(limit.value(), std::chrono::hours(24)) + std::chrono::seconds(5);
    thread_ = std::thread([this, patience] { wait(patience); });
  }
  ~LastResort() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_one();
    if (thread_.joinable()) thread_.join();
  }
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

 private:
  void wait(Duration patience) {
    std::unique_lock lock(mutex_);
    if (ended_.wait_for(lock, patience, [this] { return over_; })) return;
    std::fprintf(stderr,
                 "coil: the test %s has not ended long after its time: it blocks a loop, or its "
                 "tasks do not end when they are cancelled\n",
                 test_.c_str());
    std::abort();
  }

  std::string test_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

inline std::string current_test_name() {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  return info == nullptr ? "?" : std::string(info->test_suite_name()) + "." + info->name();
}

// `body`: a function that gives a Coro<>.
template <class Body>
void run_test(Body body, const TestOptions& options, const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) {
  const Place place{file, line};
  const LastResort last_resort(options.timeout, current_test_name());
  try {
    Runner runner({.loops = options.loops,
                   .debug = options.debug,
                   .backend = options.backend,
                   .seed = options.seed});
    runner.run(supervise(body, options, place, runner.loops().size()));
  } catch (...) {
    fail(place, "the test " + coil::detail::describe(std::current_exception()));
  }
}

}  // namespace coil::testing::detail
