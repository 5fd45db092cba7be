// How a program ends: real child processes, their exit codes, signals and last words.
#include <gtest/gtest.h>
#include <signal.h>

#include <coil/detail/loops.hpp>
#include <kit/child_process.hpp>
#include <kit/needs_kernel.hpp>
#include <random>
#include <string>
#include <thread>

#include "exit_programs.hpp"

// The whole program's: as a child it does one thing, else it runs the tests.
int main(int argc, char** argv) {
  if (const char* program = kit::child_program()) return exit_programs::run_program(program);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

namespace {

using kit::ChildProcess;

class exits : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { KIT_NEEDS_KERNEL("real processes"); }
  [[nodiscard]] static ChildProcess::Environment environment() {
    return {{"COIL_LOOPS", GetParam()}};
  }
};
INSTANTIATE_TEST_SUITE_P(loops, exits, testing::Values("1", "3"),
                         [](const auto& info) { return std::string(info.param); });

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// One task that may move, and one on each loop.
void expect_left_tasks_unwound(const std::string& output, const std::string& loops) {
  const int tasks = 1 + std::stoi(loops);
  EXPECT_EQ(count(output, "task"), 2 * tasks) << output;
  EXPECT_EQ(count(output, "task cancelled\n"), 1) << output;
  EXPECT_EQ(count(output, "task unwound\n"), 1) << output;
  for (int i = 0; i + 1 < tasks; ++i)
    EXPECT_EQ(count(output, "task on " + std::to_string(i) + " unwound\n"), 1) << output;
}

TEST_P(exits, with_code_1_and_a_report_when_main_throws) {
  ChildProcess child("throws", environment());
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), 1);
  EXPECT_NE(child.output().find("std::out_of_range: the reason"), std::string::npos)
      << child.output();
  EXPECT_NE(child.output().find("exit_programs::throws()"), std::string::npos)
      << "the await stack is missing: " << child.output();
  EXPECT_EQ(count(child.output(), "main unwound"), 1);
  expect_left_tasks_unwound(child.output(), GetParam());
}

TEST_P(exits, with_code_1_whatever_type_is_thrown) {
  for (const char* program : {"throws_no_exception", "cancels_itself", "catch_and_throw_on"}) {
    ChildProcess child(program, environment());
    ASSERT_TRUE(child.wait()) << child.output();
    EXPECT_EQ(child.result(), 1) << program << child.output();
    EXPECT_NE(child.output().find("coil: unhandled exception: "), std::string::npos)
        << child.output();
  }
}

TEST_P(exits, as_ever_when_something_else_is_not_caught) {
  ChildProcess child("throw_after_run", environment());
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), -SIGABRT) << child.output();
  EXPECT_NE(child.output().find("not from a run"), std::string::npos) << child.output();
}

TEST_P(exits, with_what_main_returns_after_unwinding_what_is_left) {
  ChildProcess child("leaves_tasks", environment());
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), 5) << child.output();
  expect_left_tasks_unwound(child.output(), GetParam());
}

TEST_P(exits, by_the_signal_when_interrupted_and_everything_is_unwound_first) {
  ChildProcess child("sleeps", environment());
  ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
  child.send(SIGINT);
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), -SIGINT) << child.output();
  EXPECT_EQ(count(child.output(), "main cancelled\n"), 1) << child.output();
  EXPECT_EQ(count(child.output(), "main unwound\n"), 2) << "both frames: " << child.output();
  expect_left_tasks_unwound(child.output(), GetParam());
}

TEST_P(exits, cleanly_when_the_interrupt_is_caught) {
  ChildProcess child("run_and_catch", environment());
  ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
  child.send(SIGINT);
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), 3) << child.output();
  EXPECT_EQ(count(child.output(), "caught interrupted by SIGINT\n"), 1) << child.output();
  expect_left_tasks_unwound(child.output(), GetParam());
}

TEST_P(exits, with_mains_result_when_main_swallows_the_interrupt) {
  ChildProcess child("swallows_and_returns", environment());
  ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
  child.send(SIGINT);
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), 7) << child.output();
}

TEST_P(exits, by_the_signal_that_comes_in_mains_last_stretch) {
  ChildProcess child("ends_interrupted", environment());
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), -SIGINT) << child.output();
}

TEST_P(exits, at_the_second_interrupt_when_the_first_is_swallowed) {
  ChildProcess child("swallows", environment());
  ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
  child.send(SIGINT);
  ASSERT_TRUE(child.wait_for_output("swallowed")) << child.output();
  child.send(SIGINT);
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), -SIGINT) << child.output();
}

TEST_P(exits, at_the_second_interrupt_when_a_task_holds_its_loop) {
  for (const char* program : {"hogs", "leaves_a_hog"}) {
    ChildProcess child(program, environment());
    ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
    child.send(SIGINT);
    EXPECT_FALSE(child.wait_for_output("anything that shows it has ended", std::chrono::seconds(1)))
        << "the first one must leave it the time to clean up";
    child.send(SIGINT);
    ASSERT_TRUE(child.wait()) << child.output();
    EXPECT_EQ(child.result(), -SIGINT) << program << child.output();
  }
}

TEST_P(exits, by_sigterm_when_asked_to_shut_down_and_everything_is_unwound_first) {
  ChildProcess child("sleeps_graceful", environment());
  ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
  child.send(SIGTERM);
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), -SIGTERM) << child.output();
  EXPECT_EQ(count(child.output(), "main unwound\n"), 2) << "both frames: " << child.output();
  expect_left_tasks_unwound(child.output(), GetParam());
}

TEST_P(exits, cleanly_when_the_request_to_shut_down_is_caught) {
  ChildProcess child("run_and_catch_termination", environment());
  ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
  child.send(SIGTERM);
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), 3) << child.output();
  EXPECT_EQ(count(child.output(), "caught terminated by SIGTERM\n"), 1) << child.output();
  expect_left_tasks_unwound(child.output(), GetParam());
}

TEST_P(exits, at_the_second_sigterm) {
  ChildProcess child("swallows_graceful", environment());
  ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
  child.send(SIGTERM);
  ASSERT_TRUE(child.wait_for_output("swallowed")) << child.output();
  child.send(SIGTERM);
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), -SIGTERM) << child.output();
  ChildProcess hog("leaves_a_hog_graceful", environment());
  ASSERT_TRUE(hog.wait_for_output("ready")) << hog.output();
  hog.send(SIGTERM);
  EXPECT_FALSE(hog.wait_for_output("anything that shows it has ended", std::chrono::seconds(1)));
  hog.send(SIGTERM);
  ASSERT_TRUE(hog.wait()) << hog.output();
  EXPECT_EQ(hog.result(), -SIGTERM) << hog.output();
}

TEST_P(exits, by_sigterm_at_once_where_nobody_asked_for_more) {
  ChildProcess child("sleeps", environment());
  ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
  child.send(SIGTERM);
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), -SIGTERM) << child.output();
  EXPECT_EQ(count(child.output(), "unwound"), 0) << child.output();
}

TEST_P(exits, by_the_first_signal_though_the_other_kind_comes_while_it_unwinds) {
  for (const auto& [first, second] : {std::pair(SIGINT, SIGTERM), std::pair(SIGTERM, SIGINT)}) {
    ChildProcess child("unwinds_slowly", environment());
    ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
    child.send(first);
    ASSERT_TRUE(child.wait_for_output("cleaning")) << child.output();
    child.send(second);
    ASSERT_TRUE(child.wait()) << child.output();
    EXPECT_EQ(child.result(), -first) << child.output();
    EXPECT_NE(child.output().find("cleaned up"), std::string::npos) << child.output();
  }
}

TEST_P(exits, by_the_other_kind_of_signal_when_the_first_was_swallowed_for_good) {
  for (const auto& [first, second] : {std::pair(SIGINT, SIGTERM), std::pair(SIGTERM, SIGINT)}) {
    ChildProcess child("survives_one_interrupt", environment());
    ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
    child.send(first);
    ASSERT_TRUE(child.wait_for_output("survived")) << child.output();
    child.send(second);
    ASSERT_TRUE(child.wait()) << child.output();
    EXPECT_EQ(child.result(), -second) << child.output();
  }
}

TEST_P(exits, after_the_clean_up_that_an_interrupt_finds_under_way) {
  ChildProcess child("cleans_up_slowly", environment());
  ASSERT_TRUE(child.wait_for_output("cleaning")) << child.output();
  child.send(SIGINT);
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), -SIGINT) << child.output();
  EXPECT_NE(child.output().find("cleaned up"), std::string::npos) << child.output();
}

TEST_P(exits, by_default_when_interrupted_after_run) {
  ChildProcess child("run_and_interrupt_afterwards", environment());
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), -SIGINT) << child.output();
  EXPECT_EQ(count(child.output(), "still here"), 0);
}

TEST_P(exits, by_its_own_rules_when_it_handles_the_signal_itself) {
  ChildProcess child("run_with_own_handler", environment());
  ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
  child.send(SIGINT);
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_EQ(child.result(), 4) << child.output();
  ChildProcess ignoring("run_ignoring_interrupts", environment());
  ASSERT_TRUE(ignoring.wait()) << ignoring.output();
  EXPECT_EQ(ignoring.result(), 6) << ignoring.output();
}

TEST_P(exits, whenever_it_is_interrupted) {
  std::mt19937 random(2);
  int by_signal = 0;
  for (int round = 0; round < 100; ++round) {
    ChildProcess child("is_busy", environment());
    // From before main() is reached to after the end of run().
    if (round % 2 == 0) ASSERT_TRUE(child.wait_for_output("ready")) << child.output();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 25'000));
    child.send(SIGINT);
    ASSERT_TRUE(child.wait()) << "round " << round << " hangs: " << child.output();
    const int result = child.result();
    ASSERT_TRUE(result == -SIGINT || result == 0) << result << child.output();
    by_signal += result == -SIGINT;
  }
  EXPECT_GT(by_signal, 20);
}

}  // namespace
