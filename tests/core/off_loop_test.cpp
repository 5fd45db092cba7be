// What is called, or made, on a thread that is no loop: a clear error, or the loop's clock.
#include <coil/cancel_scope.hpp>
#include <coil/exceptions.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <kit/environment.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <thread>

using namespace coil;
using namespace std::chrono_literals;

namespace {

template <class Fn>
void on_a_thread(Fn fn) {
  std::thread(fn).join();
}

TEST(off_a_loop, a_task_group_makes_no_task) {
  kit::on_one_loop([]() -> Coro<> {
    co_await with_task_group([](TaskGroup& group) -> Coro<> {
      on_a_thread([&] { EXPECT_THROW((void)group.create_task(sleep(1ms)), NoRunningLoop); });
      co_return;
    });
  });
}

TEST(off_a_loop, the_deadline_of_a_running_scope_is_not_set) {
  kit::on_one_loop([]() -> Coro<> {
    co_await with_cancel_scope([](CancelScope& scope) -> Coro<> {
      on_a_thread([&] { EXPECT_THROW(scope.set_deadline(Clock::now() + 1s), NoRunningLoop); });
      EXPECT_EQ(scope.deadline(), TimePoint::max());
      co_return;
    });
  });
}

TEST(off_a_loop, a_timeout_is_not_rescheduled) {
  kit::on_one_loop([]() -> Coro<> {
    co_await timeout(1h, [](Timeout& limit) -> Coro<> {
      const auto before = limit.when();
      on_a_thread([&] { EXPECT_THROW(limit.reschedule(Clock::now() + 1s), NoRunningLoop); });
      EXPECT_EQ(limit.when(), before);
      co_return;
    });
  });
}

Coro<> sleep_long() { co_await sleep(1h); }

// Under the virtual clock, the only one on which an hour passes.
TEST(off_a_loop, a_limit_counts_from_when_it_is_awaited_on_the_loop_s_clock) {
  const kit::EnvironmentVariable backend("COIL_BACKEND", "sim");
  EXPECT_THROW(run(timeout(1s, &sleep_long)), TimeoutError);
  EXPECT_THROW(run(fail_after(1s, &sleep_long)), TimeoutError);
  EXPECT_THROW(run(wait_for(sleep_long(), 1s)), TimeoutError);
  EXPECT_TRUE(run(move_on_after(1s, &sleep_long)).cancelled_caught());
  run(timeout(std::nullopt, &sleep_long));
  run(fail_after(std::nullopt, &sleep_long));
}

TEST(off_a_loop, a_limit_counts_from_when_it_is_awaited_though_made_long_before) {
  kit::on_one_loop([]() -> Coro<> {
    auto limited = timeout(50ms, []() -> Coro<> { co_await sleep(1ms); });
    auto failing = fail_after(50ms, []() -> Coro<> { co_await sleep(1ms); });
    co_await sleep(60ms);
    co_await std::move(limited);
    co_await std::move(failing);
  });
}

}  // namespace
