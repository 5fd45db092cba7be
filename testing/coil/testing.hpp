// Tests that are coroutines, for GoogleTest: COIL_TEST, COIL_TEST_F; and runs under a virtual clock
// that a seed decides: simulate.
//
//   COIL_TEST(Queue, gives_what_was_put, {.timeout = 2s, .loops = 4}) {
//     coil::Queue<int> queue;
//     co_await queue.put(1);
//     EXPECT_EQ(co_await queue.get(), 1);
//     COIL_ASSERT_TRUE(queue.empty()) << "still";
//   }
//
// Such a test fails on an exception, on tasks that it leaves over, and when it takes too long: then
// the call graph of everything that hangs is printed. The macros ASSERT_... and GTEST_SKIP leave a
// function by `return`, which a coroutine has not: write COIL_ASSERT_..., COIL_SKIP. EXPECT_...
// works as it is. Link coil::testing (CMake), which brings GoogleTest; nothing else of Coil needs
// it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <coil/coro.hpp>
#include <coil/detail/test_asserts.hpp>
#include <coil/detail/test_run.hpp>
#include <coil/run.hpp>
#include <coil/sleep.hpp>
#include <coil/time.hpp>
#include <cstdint>
#include <utility>

// The options may be left out: COIL_TEST(Suite, Name) { ... }. They are a
// coil::testing::TestOptions.
#define COIL_TEST(suite, name, ...) \
  COIL_DETAIL_TEST(suite, name, ::testing::Test, #suite __VA_OPT__(, ) __VA_ARGS__)
// The body is a member of a class derived from the fixture.
#define COIL_TEST_F(fixture, name, ...) \
  COIL_DETAIL_TEST(fixture, name, fixture, #fixture __VA_OPT__(, ) __VA_ARGS__)

#define COIL_DETAIL_TEST(suite, name, base, suite_text, ...)                                \
  class suite##_##name##_CoilTest : public base {                                           \
    void TestBody() override {                                                              \
      ::coil::testing::run_test([this] { return coil_test_body(); },                        \
                                ::coil::testing::detail::options_of(__VA_ARGS__), __FILE__, \
                                __LINE__);                                                  \
    }                                                                                       \
    ::coil::Coro<> coil_test_body();                                                        \
    static const ::testing::TestInfo* const registered_;                                    \
  };                                                                                        \
  const ::testing::TestInfo* const suite##_##name##_CoilTest::registered_ =                 \
      ::testing::RegisterTest(suite_text, #name, nullptr, nullptr, __FILE__, __LINE__,      \
                              []() -> base* { return new suite##_##name##_CoilTest; });     \
  ::coil::Coro<> suite##_##name##_CoilTest::coil_test_body()

namespace coil::testing {

using detail::run_test;
using detail::TestOptions;

// Runs the coroutine with every loop and timer simulated on this thread, under a clock that jumps
// to the next timer when nothing can run. Which loop goes on is drawn from the seed: the same seed
// gives the same run. `options`: as for a Runner; loops = 0 means 4. What waits for ever is
// std::runtime_error "deadlock: ...", naming who waits for what. Sockets, files and threads are not
// simulated: their operations fail with ENOTSUP, and what another thread does is not waited for.
template <Awaitable A>
AwaitResult<A> simulate(std::uint64_t seed, RunOptions options, A main) {
  options.backend = Backend::sim;
  options.seed = seed;
  if (options.loops == 0) options.loops = 4;
  Runner runner(std::move(options));
  return runner.run(std::move(main));
}
template <class Fn, class... Args>
  requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&, Args && ...>>)
auto simulate(std::uint64_t seed, RunOptions options, Fn fn, Args... args) {
  return simulate(seed, std::move(options),
                  coil::detail::as_coro(std::move(fn), std::move(args)...));
}

// The virtual clock of a simulated test or run (Backend::sim): time passes only in awaits, and by
// itself when nothing can run (trio.testing.MockClock with autojump_threshold=0).
class MockClock {
 public:
  // Of the running loop. Throws NoRunningLoop off a loop, std::runtime_error if it is not
  // simulated.
  MockClock() : loop_(&get_running_loop()) { detail::require_simulated(*loop_); }

  [[nodiscard]] TimePoint now() const noexcept { return loop_->time(); }
  // Since this object was made.
  [[nodiscard]] Duration elapsed() const noexcept { return now() - begin_; }
  // Lets the time pass, and everything happen that is due in it.
  [[nodiscard]] Coro<> advance(Duration by) const { return coil::detail::as_coro(sleep(by)); }

 private:
  Loop* loop_;
  TimePoint begin_ = loop_->time();
};

}  // namespace coil::testing
