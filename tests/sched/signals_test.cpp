// Signals and the loops' threads: they block none that their maker did not block.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <coil/exceptions.hpp>
#include <coil/future.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <cstdlib>
#include <exception>
#include <kit/loops.hpp>
#include <kit/needs_kernel.hpp>
#include <stdexcept>
#include <thread>

using namespace coil;
using namespace std::chrono_literals;

namespace {

sigset_t blocked_here() {
  sigset_t mask;
  sigemptyset(&mask);
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return mask;
}

// Which children inherit, wherever they are made.
TEST(signals, are_blocked_on_a_loop_s_thread_as_on_the_one_that_made_it) {
  KIT_NEEDS_KERNEL("signals");
  const kit::Watchdog watchdog;
  const sigset_t before = blocked_here();
  Runner runner({.loops = 3});
  runner.run([&]() -> Coro<> {
    for (Loop* loop : runner.loops()) {
      auto same = loop->create_task([&]() -> Coro<bool> {
        const sigset_t here = blocked_here();
        bool equal = true;
        for (int signal = 1; signal < SIGRTMAX; ++signal)
          equal &= sigismember(&before, signal) == sigismember(&here, signal);
        co_return equal;
      });
      EXPECT_TRUE(co_await same) << "loop " << loop->index();
    }
  });
}

TEST(signals, that_crash_a_program_reach_its_handler_on_every_loop) {
  KIT_NEEDS_KERNEL("signals");
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        ::signal(SIGSEGV, [](int) { ::_exit(7); });
        Runner runner({.loops = 2});
        runner.run([&]() -> Coro<> {
          co_await runner.loops()[1]->create_task([]() -> Coro<> {
            ::raise(SIGSEGV);
            co_return;
          });
        });
      },
      ::testing::ExitedWithCode(7), "");
}

std::atomic<int> handled{0};

// Its handler interrupts the loops' system calls, with and without SA_RESTART.
TEST(signals, that_rain_on_the_loops_threads_disturb_nothing) {
  KIT_NEEDS_KERNEL("signals");
  for (const int flags : {0, SA_RESTART}) {
    const kit::Watchdog watchdog;
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = [](int) { ++handled; };
    action.sa_flags = flags;
    ::sigaction(SIGUSR1, &action, &before);
    Runner runner({.loops = 3});
    runner.run([&]() -> Coro<> {
      std::vector<pthread_t> threads;
      for (Loop* loop : runner.loops())
        threads.push_back(
            co_await loop->create_task([]() -> Coro<pthread_t> { co_return pthread_self(); }));
      std::atomic<bool> over{false};
      std::thread rain([&] {
        while (!over) {
          for (const pthread_t thread : threads) pthread_kill(thread, SIGUSR1);
          std::this_thread::sleep_for(20us);
        }
      });
      int turns = 0;
      for (int i = 0; i < 100; ++i) {
        for (Loop* loop : runner.loops())
          turns += co_await loop->create_task([]() -> Coro<int> {
            co_await sleep(200us);
            co_return 1;
          });
      }
      over = true;
      rain.join();
      EXPECT_EQ(turns, 300);
    });
    ::sigaction(SIGUSR1, &before, nullptr);
  }
  EXPECT_GT(handled, 0);
}

[[noreturn]] void chained_terminate();
std::terminate_handler chained = nullptr;
void chained_terminate() {
  if (chained != nullptr) chained();
  std::abort();
}

Coro<> fail() {
  throw std::runtime_error("lost");
  co_return;
}

void fail_caught() {
  try {
    run(fail());
  } catch (const std::runtime_error&) {
  }
}

TEST(terminate, calls_a_handler_that_calls_the_one_before_it_once) {
  KIT_NEEDS_KERNEL("processes");
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        fail_caught();
        chained = std::set_terminate(&chained_terminate);
        fail_caught();
        std::terminate();
      },
      ::testing::KilledBySignal(SIGABRT), "");
}

TEST(terminate, ends_by_sigint_though_the_thread_blocks_it) {
  KIT_NEEDS_KERNEL("processes");
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        std::exception_ptr error;
        try {
          run([]() -> Coro<> {
            ::kill(::getpid(), SIGINT);
            co_await sleep(1h);
          });
        } catch (const KeyboardInterrupt&) {
          error = std::current_exception();
        }
        sigset_t interrupt;
        sigemptyset(&interrupt);
        sigaddset(&interrupt, SIGINT);
        pthread_sigmask(SIG_BLOCK, &interrupt, nullptr);
        [&]() noexcept { std::rethrow_exception(error); }();
      },
      ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
