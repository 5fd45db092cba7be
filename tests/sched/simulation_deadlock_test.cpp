// Deadlocks under simulation: what is one, what is said of it, and what is left after it.
#include <gtest/gtest.h>

#include <coil/detail/operation_awaiter.hpp>
#include <coil/future.hpp>
#include <coil/run.hpp>
#include <coil/sleep.hpp>
#include <kit/watchdog.hpp>
#include <memory>
#include <string>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

// What running says; "" if it ends well.
template <class Run>
std::string message_of(Run run) {
  const kit::Watchdog watchdog;
  try {
    run();
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}
template <class Body>
std::string outcome(Runner& runner, Body body) {
  return message_of([&] { runner.run(body()); });
}
template <class Body>
std::string outcome(int loops, Body body) {
  return message_of([&] { run(body(), {.loops = loops, .backend = Backend::sim}); });
}

Coro<> wait_for(Future<> future) { co_await future; }

TEST(simulation_deadlock, is_reported_of_a_single_task) {
  EXPECT_EQ(outcome(1, []() -> Coro<> { co_await create_future<>(); }),
            "deadlock: 1 task waits for ever: 'Task-1' (future)");
}

TEST(simulation_deadlock, names_what_each_task_waits_for) {
  for (const int loops : {1, 3}) {
    const std::string text = outcome(loops, []() -> Coro<> {
      current_task().set_name("main");
      auto sleeper = create_task([]() -> Coro<> { co_await sleep_forever(); }, {.name = "sleeper"});
      auto waiter = create_task(wait_for(create_future<>()), {.name = "waiter"});
      co_await sleeper;
    });
    EXPECT_NE(text.find("3 tasks wait for ever: "), std::string::npos) << text;
    EXPECT_NE(text.find("'main' (future)"), std::string::npos) << text;
    EXPECT_NE(text.find("'sleeper' (sleep)"), std::string::npos) << text;
    EXPECT_NE(text.find("'waiter' (future)"), std::string::npos) << text;
  }
}

TEST(simulation_deadlock, counts_all_and_names_some_of_very_many) {
  const std::string text = outcome(2, []() -> Coro<> {
    std::vector<Task<>> tasks;
    for (int i = 0; i < 500; ++i) tasks.push_back(create_task(wait_for(create_future<>())));
    for (auto& task : tasks) co_await task;
  });
  EXPECT_NE(text.find("501 tasks wait for ever: "), std::string::npos) << text;
  EXPECT_NE(text.find(", ..."), std::string::npos) << text;
  EXPECT_LT(text.size(), 2'000U);
}

TEST(simulation_deadlock, is_no_deadlock_while_a_timer_is_armed) {
  EXPECT_EQ(outcome(2,
                    []() -> Coro<> {
                      auto future = create_future<>();
                      get_running_loop().call_later(1'000h, [future] { future.set_result(); });
                      co_await future;
                    }),
            "");
}

TEST(simulation_deadlock, of_two_that_wait_for_each_other_is_found) {
  const std::string text = outcome(2, []() -> Coro<> {
    auto a = create_future<>();
    auto b = create_future<>();
    auto cross = [](Future<> mine, Future<> theirs) -> Coro<> {
      co_await theirs;
      mine.set_result();
    };
    auto first = create_task(cross(a, b), {.name = "first"});
    auto second = create_task(cross(b, a), {.name = "second"});
    co_await first;
  });
  EXPECT_NE(text.find("'first'"), std::string::npos) << text;
  EXPECT_NE(text.find("'second'"), std::string::npos) << text;
}

TEST(simulation_deadlock, of_what_is_left_behind_is_found_and_unwound) {
  auto held = std::make_shared<int>(0);
  const std::string text = outcome(1, [&]() -> Coro<> {
    create_task(
        [held]() -> Coro<> {
          try {
            co_await sleep(1h);
          } catch (const CancelledError&) {
          }
          co_await create_future<>();  // nobody will ever set it
        },
        {.name = "stubborn"});
    co_await sleep(1ms);
  });
  EXPECT_EQ(text, "deadlock: 1 task waits for ever: 'stubborn' (future)");
  EXPECT_EQ(held.use_count(), 1) << "its frame was not destroyed";
}

TEST(simulation_deadlock, leaves_a_runner_that_can_run_again) {
  Runner runner({.loops = 2, .backend = Backend::sim});
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(outcome(runner, []() -> Coro<> { co_await create_future<>(); }), "");
    EXPECT_EQ(outcome(runner, []() -> Coro<> { co_await sleep(24h); }), "");
    EXPECT_EQ(runner.metrics().tasks, 0U);
  }
}

class Request : public detail::OperationAwaiter {
 public:
  explicit Request(detail::OpCode what) noexcept : OperationAwaiter(leaf) { code = what; }

 private:
  static constexpr detail::LeafKind leaf{"request", &OperationAwaiter::cancel_leaf};
};

TEST(simulation_deadlock, is_no_end_for_requests_to_a_kernel_that_is_not_there) {
  EXPECT_EQ(outcome(2,
                    []() -> Coro<> {
                      EXPECT_EQ(co_await Request(detail::OpCode::Nop), 0);
                      EXPECT_EQ(co_await Request(detail::OpCode::Recv), -ENOTSUP);
                    }),
            "");
}

}  // namespace
