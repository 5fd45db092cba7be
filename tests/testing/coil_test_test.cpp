// COIL_TEST and COIL_TEST_F: what passes here, what fails as a child process with which words.
#include <gmock/gmock.h>

#include <signal.h>

#include <coil/future.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/testing.hpp>
#include <kit/child_process.hpp>
#include <stdexcept>
#include <string>

using namespace coil;
using namespace std::chrono_literals;

// The whole program's: as a child it runs one of the tests that are to fail.
int main(int argc, char** argv) {
  ::testing::InitGoogleMock(&argc, argv);
  if (const char* program = kit::child_program()) {
    GTEST_FLAG_SET(also_run_disabled_tests, true);
    GTEST_FLAG_SET(filter, std::string("DISABLED_") + program);
  }
  return RUN_ALL_TESTS();
}

namespace {

COIL_TEST(coil_test, is_a_coroutine_on_a_loop) {
  co_await sleep(0ms);
  EXPECT_TRUE(current_task());
  EXPECT_TRUE(get_running_loop().get_debug());
}

COIL_TEST(coil_test, takes_options, {.timeout = 3s, .loops = 3, .debug = false}) {
  EXPECT_FALSE(get_running_loop().get_debug());
  EXPECT_EQ(co_await create_task(sleep(1ms, 5)), 5);
}

COIL_TEST(coil_test, may_have_no_time_limit, {.timeout = std::nullopt}) { co_await sleep(1ms); }

COIL_TEST(coil_test, runs_on_a_virtual_clock, {.loops = 2, .backend = Backend::sim, .seed = 7}) {
  const coil::testing::MockClock clock;
  co_await clock.advance(5s);
  EXPECT_GE(clock.elapsed(), 5s);
  EXPECT_LT(clock.elapsed(), 6s);
  EXPECT_TRUE(get_running_loop().is_simulated());
}

COIL_TEST(coil_test, asserts_leave_the_coroutine_only_when_they_fail) {
  COIL_ASSERT_TRUE(true);
  COIL_ASSERT_FALSE(false) << "not seen";
  COIL_ASSERT_EQ(co_await sleep(0ms, 4), 4);
  COIL_ASSERT_NE(1, 2);
  COIL_ASSERT_LT(1, 2);
  COIL_ASSERT_LE(2, 2);
  COIL_ASSERT_GT(2, 1);
  COIL_ASSERT_GE(2, 2);
  COIL_ASSERT_STREQ("a", "a");
  COIL_ASSERT_STRNE("a", "b");
  COIL_ASSERT_NEAR(1.0, 1.1, 0.2);
  COIL_ASSERT_THAT("text", ::testing::HasSubstr("ex"));
  COIL_ASSERT_NO_THROW(co_await sleep(0ms));
  auto fail = []() -> Coro<> {
    co_await sleep(0ms);
    throw std::runtime_error("x");
  };
  COIL_ASSERT_THROW(co_await fail(), std::runtime_error);
  COIL_ASSERT_ANY_THROW(co_await fail());
}

COIL_TEST(coil_test, forgives_tasks_that_are_just_ending, {.loops = 4}) {
  for (int i = 0; i < 20; ++i) create_task(sleep(0ms));
  co_return;
}

class Fixture : public ::testing::Test {
 protected:
  void SetUp() override { value_ = 3; }
  void TearDown() override { EXPECT_EQ(value_, 4); }
  int value_ = 0;
};

COIL_TEST_F(Fixture, gives_its_members_to_the_body) {
  EXPECT_EQ(value_++, 3);
  co_await sleep(0ms);
}
COIL_TEST_F(Fixture, takes_options, {.loops = 1}) {
  ++value_;
  co_await sleep(0ms);
}

// From here on what fails on purpose, run as child processes only.

Coro<> fail_below() {
  co_await sleep(0ms);
  throw std::out_of_range("the reason");
}
COIL_TEST(DISABLED_fails, by_an_exception) { co_await fail_below(); }
COIL_TEST(DISABLED_fails, by_an_expectation) {
  EXPECT_EQ(co_await sleep(0ms, 1), 2);
  EXPECT_TRUE(true);
}
COIL_TEST(DISABLED_fails, by_an_assertion) {
  COIL_ASSERT_EQ(1, 2) << "told why";
  ADD_FAILURE() << "went on";
  co_return;
}
COIL_TEST(DISABLED_fails, by_a_task_left_over) {
  create_task(sleep(1h), {.name = "forgotten"});
  co_return;
}
Coro<> waits_for_ever(Future<> future) { co_await future; }
COIL_TEST(DISABLED_fails, by_taking_too_long, {.timeout = 50ms, .loops = 2}) {
  auto task = create_task(waits_for_ever(create_future<>()), {.name = "stuck"});
  co_await task;
}
COIL_TEST(DISABLED_fails, by_taking_too_long_in_virtual_time,
          {.timeout = 24h, .backend = Backend::sim}) {
  co_await waits_for_ever(create_future<>());
}
COIL_TEST(DISABLED_fails, by_being_cancelled) {
  current_task().cancel();
  co_await sleep(0ms);
}
COIL_TEST(DISABLED_fails, by_blocking_the_loop, {.timeout = 1ms, .loops = 1}) {
  for (volatile bool blocked = true; blocked;) {
  }
  co_return;
}
COIL_TEST(DISABLED_fails, by_bad_options, {.loops = -1}) { co_return; }
COIL_TEST(DISABLED_skips, when_it_says_so) {
  COIL_SKIP() << "no reason";
  ADD_FAILURE();
  co_return;
}

std::string output_of(const char* name, int expected = 1) {
  kit::ChildProcess child(name);
  EXPECT_TRUE(child.wait(30s)) << child.output();
  EXPECT_EQ(child.result(), expected) << child.output();
  return child.output();
}
using ::testing::HasSubstr;
using ::testing::Not;

TEST(coil_test_fails, by_an_exception_with_its_text_and_stack) {
  const auto output = output_of("fails.by_an_exception");
  EXPECT_THAT(output, HasSubstr("threw std::out_of_range: the reason"));
  EXPECT_THAT(output, HasSubstr("::fail_below()"));
  EXPECT_THAT(output, HasSubstr("coil_test_test.cpp"));
}

TEST(coil_test_fails, by_expectations_and_assertions) {
  EXPECT_THAT(output_of("fails.by_an_expectation"), HasSubstr("FAILED"));
  const auto output = output_of("fails.by_an_assertion");
  EXPECT_THAT(output, HasSubstr("told why"));
  EXPECT_THAT(output, Not(HasSubstr("went on")));
}

TEST(coil_test_fails, by_a_task_that_is_left_over) {
  const auto output = output_of("fails.by_a_task_left_over");
  EXPECT_THAT(output, HasSubstr("left 1 task over"));
  EXPECT_THAT(output, HasSubstr("* Task(name='forgotten'"));
}

TEST(coil_test_fails, by_taking_too_long_and_shows_what_hangs) {
  const auto output = output_of("fails.by_taking_too_long");
  EXPECT_THAT(output, HasSubstr("did not end in time"));
  EXPECT_THAT(output, HasSubstr("* Task(name='stuck'"));
  EXPECT_THAT(output, HasSubstr("waiting in future"));
  EXPECT_THAT(output, HasSubstr("::waits_for_ever()"));
  EXPECT_THAT(output, HasSubstr("    * Task(name='test body'")) << "who awaits it";
  EXPECT_THAT(output_of("fails.by_taking_too_long_in_virtual_time"),
              HasSubstr("did not end in time"));
}

TEST(coil_test_fails, by_cancelling_itself_and_by_bad_options) {
  EXPECT_THAT(output_of("fails.by_being_cancelled"), HasSubstr("was cancelled"));
  EXPECT_THAT(output_of("fails.by_bad_options"), HasSubstr("RunOptions.loops=-1"));
}

TEST(coil_test_fails, by_an_abort_if_it_blocks_the_loop) {
  const auto output = output_of("fails.by_blocking_the_loop", -SIGABRT);
  EXPECT_THAT(output, HasSubstr("DISABLED_fails.by_blocking_the_loop has not ended"));
}

TEST(coil_test, skips) { EXPECT_THAT(output_of("skips.when_it_says_so", 0), HasSubstr("SKIPPED")); }

}  // namespace
