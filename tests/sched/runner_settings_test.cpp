// RunOptions and their environment variables: what they do, and what is said of impossible ones.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include <coil/future.hpp>
#include <coil/runner.hpp>
#include <kit/child_process.hpp>
#include <kit/environment.hpp>
#include <kit/needs_kernel.hpp>
#include <stdexcept>
#include <string>

using namespace coil;
using kit::EnvironmentVariable;

namespace {

// What making a Runner says.
std::string refusal(RunOptions options = {}) {
  try {
    const Runner runner(std::move(options));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal_of(const char* name, const char* value) {
  const EnvironmentVariable variable(name, value);
  return refusal();
}

TEST(runner_settings, refuses_impossible_numbers_of_loops) {
  for (const int loops : {-1, -1'000'000, 1'025, 2'000'000'000}) {
    const std::string text = refusal({.loops = loops});
    EXPECT_NE(text.find(std::to_string(loops)), std::string::npos) << text;
    EXPECT_NE(text.find("loops"), std::string::npos) << text;
    EXPECT_NE(text.find("expected"), std::string::npos) << text;
  }
}

TEST(runner_settings, refuses_environment_values_that_mean_nothing) {
  const std::pair<const char*, const char*> bad[] = {
      {"COIL_LOOPS", "many"},     {"COIL_LOOPS", "2x"},          {"COIL_LOOPS", "-1"},
      {"COIL_LOOPS", "1.5"},      {"COIL_LOOPS", "99999999999"}, {"COIL_LOOPS", "5000"},
      {"COIL_PIN", "yes"},        {"COIL_DEBUG", "2"},           {"COIL_STEAL", "off"},
      {"COIL_BACKEND", "kqueue"}, {"COIL_SIM_SEED", "-3"},       {"COIL_SIM_SEED", "0x10"},
  };
  for (const auto& [name, value] : bad) {
    const std::string text = refusal_of(name, value);
    EXPECT_NE(text.find(name), std::string::npos) << name << "=" << value << ": " << text;
    EXPECT_NE(text.find(value), std::string::npos) << name << "=" << value << ": " << text;
    EXPECT_NE(text.find("expected"), std::string::npos) << name << "=" << value << ": " << text;
  }
}

TEST(runner_settings, takes_an_empty_variable_for_none) {
  for (const char* name : {"COIL_LOOPS", "COIL_PIN", "COIL_DEBUG", "COIL_STEAL"})
    EXPECT_EQ(refusal_of(name, ""), "accepted") << name;
}

TEST(runner_settings, takes_the_number_of_loops_from_the_environment) {
  const EnvironmentVariable loops("COIL_LOOPS", "3");
  EXPECT_EQ(Runner().loops().size(), 3U);
  EXPECT_EQ(Runner({.loops = 2}).loops().size(), 2U) << "the option goes first";
}

TEST(runner_settings, takes_debug_from_the_environment) {
  {
    const EnvironmentVariable debug("COIL_DEBUG", "1");
    EXPECT_TRUE(Runner({.loops = 1}).get_loop().get_debug());
  }
  const EnvironmentVariable debug("COIL_DEBUG", "0");
  EXPECT_FALSE(Runner({.loops = 1}).get_loop().get_debug());
  EXPECT_TRUE(Runner({.loops = 1, .debug = true}).get_loop().get_debug());
}

TEST(runner_settings, takes_the_backend_from_the_environment) {
  const EnvironmentVariable backend("COIL_BACKEND", "sim");
  // Hours of sleep that take no time: only the simulation can do that.
  const kit::Watchdog watchdog;
  Runner({.loops = 1}).run([]() -> Coro<> { co_await sleep(std::chrono::hours(1'000)); });
}

TEST(runner_settings, says_that_a_backend_is_not_there) {
  const std::string text = refusal({.backend = Backend::epoll});
  if (text == "accepted") GTEST_SKIP() << "this build has an epoll backend";
  EXPECT_NE(text.find("epoll"), std::string::npos) << text;
}

int processors_of_this_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
  return CPU_COUNT(&set);
}

// On loop 0, which the calling thread drives, and on another.
std::pair<int, int> processors_of_loops(RunOptions options) {
  Runner runner(std::move(options));
  return runner.run([&]() -> Coro<std::pair<int, int>> {
    auto other = runner.loops().back()->create_task(
        []() -> Coro<int> { co_return processors_of_this_thread(); });
    auto own = runner.loops().front()->create_task(
        []() -> Coro<int> { co_return processors_of_this_thread(); });
    const int first = co_await own;
    co_return std::pair(first, co_await other);
  });
}

TEST(runner_settings, binds_loops_to_processors_unless_told_not_to) {
  KIT_NEEDS_KERNEL("threads of the loops");
  const int all = processors_of_this_thread();
  if (all < 2) GTEST_SKIP() << "one processor only";
  EXPECT_EQ(processors_of_loops({.loops = 2}), std::pair(1, 1));
  EXPECT_EQ(processors_of_this_thread(), all) << "the caller's mask was not put back";
  EXPECT_EQ(processors_of_loops({.loops = 2, .pin = false}), std::pair(all, all));
  const EnvironmentVariable pin("COIL_PIN", "0");
  EXPECT_EQ(processors_of_loops({.loops = 2}), std::pair(all, all));
}

TEST(runner_settings, does_not_bind_more_loops_than_there_are_processors) {
  KIT_NEEDS_KERNEL("threads of the loops");
  const int all = processors_of_this_thread();
  EXPECT_EQ(processors_of_loops({.loops = all + 1}), std::pair(all, all));
}

TEST(runner_settings, names_the_threads_of_its_loops) {
  KIT_NEEDS_KERNEL("threads of the loops");
  Runner runner({.loops = 2, .name = "a-name-that-is-too-long"});
  const auto name = runner.run([&]() -> Coro<std::string> {
    auto task = runner.loops()[1]->create_task([]() -> Coro<std::string> {
      char text[16] = {};
      ::pthread_getname_np(::pthread_self(), text, sizeof text);
      co_return text;
    });
    co_return co_await task;
  });
  EXPECT_EQ(name, "a-name-tha-1");
}

TEST(runner_settings, says_that_a_thread_cannot_be_started_and_ends_the_others) {
  KIT_NEEDS_KERNEL("real processes");
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "a sanitizer needs more address space than is left here";
#endif
  kit::ChildProcess child("start_too_many_threads");
  ASSERT_TRUE(child.wait()) << child.output();
  EXPECT_NE(child.output().find("a thread for each of 200 loops"), std::string::npos)
      << child.output();
  EXPECT_EQ(child.result(), 8) << child.output();
}

}  // namespace
