// simulate: virtual time, the seed, deadlocks.
#include <coil/future.hpp>
#include <coil/sleep.hpp>
#include <coil/task_group.hpp>
#include <coil/testing.hpp>
#include <set>
#include <stdexcept>
#include <string>

using namespace coil;
using namespace std::chrono_literals;
using coil::testing::simulate;

namespace {

Coro<std::string> letters() {
  std::string log;
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
  co_return log;
}

TEST(simulate, gives_the_same_run_for_the_same_seed_and_others_for_others) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto log = simulate(seed, {.loops = 3}, letters());
    EXPECT_EQ(log, simulate(seed, {.loops = 3}, letters()));
    seen.insert(log);
  }
  EXPECT_GT(seen.size(), 15U);
}

TEST(simulate, takes_functions_and_lets_hours_pass_in_no_time) {
  const auto real = Clock::now();
  const Duration slept = simulate(
      1, {},
      [](Duration d) -> Coro<Duration> {
        const auto begin = get_running_loop().time();
        co_await sleep(d);
        co_return get_running_loop().time() - begin;
      },
      Duration(10h));
  EXPECT_GE(slept, 10h);
  EXPECT_LT(Clock::now() - real, 10s);
}

TEST(simulate, reports_a_deadlock) {
  try {
    simulate(1, {.loops = 2}, []() -> Coro<> {
      current_task().set_name("main");
      co_await create_future<>();
    });
    ADD_FAILURE() << "it ended";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "deadlock: 1 task waits for ever: 'main' (future)");
  }
}

TEST(simulate, throws_what_the_coroutine_throws) {
  EXPECT_THROW(simulate(1, {},
                        []() -> Coro<> {
                          co_await sleep(1h);
                          throw std::domain_error("x");
                        }),
               std::domain_error);
}

TEST(mock_clock, is_refused_on_the_real_clock) {
  EXPECT_THROW(coil::testing::MockClock(), NoRunningLoop);
  if (std::getenv("COIL_BACKEND") != nullptr) GTEST_SKIP() << "on another backend";
  EXPECT_THROW(coil::run([]() -> Coro<> {
                 const coil::testing::MockClock clock;
                 co_return;
               }),
               std::runtime_error);
}

}  // namespace
