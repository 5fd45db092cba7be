// The simulated backend: the seed decides what happens, time jumps, and a deadlock is said.
#include <gtest/gtest.h>

#include <coil/future.hpp>
#include <coil/run.hpp>
#include <coil/sleep.hpp>
#include <coil/task_group.hpp>
#include <kit/environment.hpp>
#include <set>
#include <string>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

// The order in which six tasks on three loops, which yield now and then, write their letters.
std::string events(const char* seed, int loops) {
  const kit::EnvironmentVariable seeded("COIL_SIM_SEED", seed);
  std::string log;
  Runner runner({.loops = loops, .backend = Backend::sim});
  runner.run([&]() -> Coro<> {
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (char name = 'a'; name < 'g'; ++name)
        group.create_task([&log, name]() -> Coro<> {
          for (int i = 0; i < 4; ++i) {
            log += name;
            co_await sleep(0ms);
          }
        });
      co_return;
    });
  });
  return log;
}

TEST(simulation, gives_the_same_run_for_the_same_seed) {
  for (const char* seed : {"1", "2", "12345"}) EXPECT_EQ(events(seed, 3), events(seed, 3));
}

TEST(simulation, gives_other_interleavings_for_other_seeds) {
  std::set<std::string> seen;
  for (int seed = 0; seed < 20; ++seed) seen.insert(events(std::to_string(seed).c_str(), 3));
  EXPECT_GT(seen.size(), 15U);
}

TEST(simulation, keeps_the_order_of_one_loop_whatever_the_seed) {
  EXPECT_EQ(events("1", 1), "abcdefabcdefabcdefabcdef");
  EXPECT_EQ(events("99", 1), "abcdefabcdefabcdefabcdef");
}

TEST(simulation, lets_hours_pass_in_no_time) {
  const auto real = Clock::now();
  Duration slept{};
  coil::run(
      [](Duration& out) -> Coro<> {
        const auto begin = get_running_loop().time();
        co_await sleep(10h);
        out = get_running_loop().time() - begin;
      }(slept),
      {.loops = 2, .backend = Backend::sim});
  EXPECT_GE(slept, 10h);
  EXPECT_LT(slept, 10h + 1s);
  EXPECT_LT(Clock::now() - real, 10s);
}

// What run() throws, and whether everything was unwound before.
TEST(simulation, says_who_waits_for_ever_and_unwinds_them) {
  int unwound = 0;
  std::string message;
  try {
    coil::run(
        [](int& count) -> Coro<> {
          struct Guard {
            int& n;
            ~Guard() { ++n; }
          };
          auto never = create_future<>();
          auto wait = [](Future<> future, int& n) -> Coro<> {
            const Guard guard{n};
            co_await future;
          };
          auto first = create_task(wait(create_future<>(), count), {.name = "consumer"});
          auto second = create_task(wait(create_future<>(), count), {.name = "producer"});
          const Guard guard{count};
          co_await never;
        }(unwound),
        {.loops = 2, .backend = Backend::sim});
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  EXPECT_NE(message.find("3 tasks wait for ever: "), std::string::npos) << message;
  EXPECT_NE(message.find("'consumer' (future)"), std::string::npos) << message;
  EXPECT_NE(message.find("'producer' (future)"), std::string::npos) << message;
  EXPECT_EQ(unwound, 3);
}

}  // namespace
