// Loop::add_signal_handler: real signals, on whichever thread they land.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <coil/context.hpp>
#include <coil/detail/loops.hpp>
#include <coil/event.hpp>
#include <coil/runner.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/needs_kernel.hpp>
#include <kit/reports.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

using Disposition = void (*)(int);

Disposition disposition_of(int signal) {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler;
}

// Puts a signal's disposition back, whatever the test did to it.
class Restored {
 public:
  explicit Restored(int signal) : signal_(signal) { ::sigaction(signal, nullptr, &before_); }
  ~Restored() { ::sigaction(signal_, &before_, nullptr); }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;

 private:
  int signal_;
  struct sigaction before_{};
};

// The loop looks for what other threads, and signals, have brought once a turn.
Coro<> several_turns() { return kit::yield(200); }

std::atomic<int> foreign_calls{0};
void foreign_handler(int) { ++foreign_calls; }

TEST(signal_handler, is_called_on_the_loop_that_it_was_added_on) {
  kit::on_loops([]() -> Coro<> {
    for (Loop* loop : detail::running_loops("test")) {
      Event called;
      Loop* where = nullptr;
      loop->add_signal_handler(SIGUSR1, [&] {
        where = get_running_loop_or_null();
        called.set();
      });
      ::raise(SIGUSR1);
      co_await called.wait();
      EXPECT_EQ(where, loop);
      EXPECT_TRUE(loop->remove_signal_handler(SIGUSR1));
    }
  });
}

// Nothing but the signal can wake it.
TEST(signal_handler, wakes_a_loop_that_sleeps) {
  KIT_NEEDS_KERNEL("another thread's signal");
  kit::on_loops([]() -> Coro<> {
    Event called;
    get_running_loop().add_signal_handler(SIGUSR1, [&] { called.set(); });
    std::thread later([] {
      std::this_thread::sleep_for(20ms);
      ::kill(::getpid(), SIGUSR1);
    });
    co_await called.wait();
    later.join();
    get_running_loop().remove_signal_handler(SIGUSR1);
  });
}

// Threads that know nothing of Coil, and block nothing, may be the ones that get it.
TEST(signal_handler, works_whichever_thread_the_signal_lands_on) {
  KIT_NEEDS_KERNEL("threads");
  std::atomic<bool> over{false};
  std::thread older([&] {
    while (!over) std::this_thread::sleep_for(100us);
  });
  kit::on_loops([&]() -> Coro<> {
    std::atomic<int> calls{0};
    get_running_loop().add_signal_handler(SIGUSR1, [&] { ++calls; });
    int expected = 0;
    for (int round = 0; round < 20; ++round) {
      ::pthread_kill(older.native_handle(), SIGUSR1);
      ++expected;
      co_await kit::until([&] { return calls == expected; });
      ::pthread_kill(::pthread_self(), SIGUSR1);
      ++expected;
      co_await kit::until([&] { return calls == expected; });
    }
    get_running_loop().remove_signal_handler(SIGUSR1);
  });
  over = true;
  older.join();
}

TEST(signal_handler, may_be_called_once_for_several_signals_but_is_for_the_last) {
  kit::on_one_loop([]() -> Coro<> {
    int calls = 0;
    get_running_loop().add_signal_handler(SIGUSR1, [&] { ++calls; });
    for (int i = 0; i < 100; ++i) ::raise(SIGUSR1);
    co_await several_turns();
    EXPECT_EQ(calls, 1);
    ::raise(SIGUSR1);
    co_await several_turns();
    EXPECT_EQ(calls, 2);
    get_running_loop().remove_signal_handler(SIGUSR1);
  });
}

TEST(signal_handler, comes_behind_what_is_ready) {
  kit::on_one_loop([]() -> Coro<> {
    std::vector<std::string> order;
    Loop& loop = get_running_loop();
    loop.add_signal_handler(SIGUSR1, [&] { order.emplace_back("signal"); });
    loop.call_soon([&] { order.emplace_back("ready"); });
    ::raise(SIGUSR1);
    co_await several_turns();
    loop.remove_signal_handler(SIGUSR1);
    EXPECT_THAT(order, testing::ElementsAre("ready", "signal"));
  });
}

TEST(signal_handler, is_replaced_by_a_second_one_which_gets_what_had_come) {
  kit::on_one_loop([]() -> Coro<> {
    int first = 0;
    int second = 0;
    Loop& loop = get_running_loop();
    loop.add_signal_handler(SIGUSR1, [&] { ++first; });
    ::raise(SIGUSR1);
    loop.add_signal_handler(SIGUSR1, [&] { ++second; });
    co_await several_turns();
    EXPECT_EQ(first, 0);
    EXPECT_EQ(second, 1);
    EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
    EXPECT_FALSE(loop.remove_signal_handler(SIGUSR1)) << "there was but one";
  });
}

TEST(signal_handler, that_was_removed_is_not_called_though_the_signal_had_come) {
  const Restored restored(SIGUSR1);
  ::signal(SIGUSR1, SIG_IGN);
  kit::on_one_loop([]() -> Coro<> {
    int calls = 0;
    Loop& loop = get_running_loop();
    loop.add_signal_handler(SIGUSR1, [&] { ++calls; });
    ::raise(SIGUSR1);
    EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
    ::raise(SIGUSR1);
    co_await several_turns();
    EXPECT_EQ(calls, 0);
  });
}

TEST(signal_handler, gives_back_the_disposition_that_was_there) {
  const Restored restored(SIGUSR1);
  for (const Disposition before : {SIG_DFL, SIG_IGN, &foreign_handler}) {
    ::signal(SIGUSR1, before);
    kit::on_loops([&]() -> Coro<> {
      Loop& loop = get_running_loop();
      loop.add_signal_handler(SIGUSR1, [] {});
      loop.add_signal_handler(SIGUSR1, [] {});
      EXPECT_NE(disposition_of(SIGUSR1), before);
      EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
      EXPECT_EQ(disposition_of(SIGUSR1), before);
      loop.add_signal_handler(SIGUSR1, [] {});  // the Runner's end removes it
      co_return;
    });
    EXPECT_EQ(disposition_of(SIGUSR1), before);
  }
}

TEST(signal_handler, leaves_alone_what_somebody_else_has_installed_over_it) {
  const Restored restored(SIGUSR1);
  kit::on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    loop.add_signal_handler(SIGUSR1, [] {});
    ::signal(SIGUSR1, &foreign_handler);
    EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
    EXPECT_EQ(disposition_of(SIGUSR1), &foreign_handler);
    co_return;
  });
}

TEST(signal_handler, is_for_signals_that_exist_and_can_be_handled) {
  kit::on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    for (const int none : {-1, 0, NSIG, 1'000}) {
      EXPECT_THROW(loop.add_signal_handler(none, [] {}), std::invalid_argument) << none;
      EXPECT_THROW(loop.remove_signal_handler(none), std::invalid_argument) << none;
    }
    for (const int never : {SIGKILL, SIGSTOP}) {
      try {
        loop.add_signal_handler(never, [] {});
        ADD_FAILURE() << never;
      } catch (const std::system_error& error) {
        EXPECT_EQ(error.code().value(), EINVAL);
        EXPECT_THAT(error.what(), testing::HasSubstr("cannot be handled"));
      }
      EXPECT_FALSE(loop.remove_signal_handler(never));
    }
    EXPECT_FALSE(loop.remove_signal_handler(SIGUSR2)) << "there is none";
    co_return;
  });
}

TEST(signal_handler, is_refused_from_a_thread_that_is_no_loop) {
  KIT_USES_THREADS();
  kit::on_loops([]() -> Coro<> {
    Loop& loop = get_running_loop();
    std::thread([&] {
      EXPECT_THROW(loop.add_signal_handler(SIGUSR1, [] {}), std::runtime_error);
      EXPECT_THROW(loop.remove_signal_handler(SIGUSR1), std::runtime_error);
    }).join();
    co_return;
  });
}

TEST(signal_handler, may_be_any_task_s_of_the_runner_to_remove) {
  KIT_NEEDS_KERNEL("several loops that are awake");
  kit::on_loops([]() -> Coro<> {
    int calls = 0;
    auto loops = detail::running_loops("test");
    loops.front()->add_signal_handler(SIGUSR1, [&] { ++calls; });
    co_await loops.back()->create_task([]() -> Coro<> {
      EXPECT_TRUE(get_running_loop().remove_signal_handler(SIGUSR1));
      co_return;
    });
    EXPECT_EQ(disposition_of(SIGUSR1), SIG_DFL);
  });
}

TEST(signal_handler, that_throws_is_reported_and_goes_on) {
  kit::on_loops([]() -> Coro<> {
    const kit::Reports reports;
    Event called;
    int calls = 0;
    get_running_loop().add_signal_handler(SIGUSR1, [&] {
      if (++calls == 1) throw std::runtime_error("no");
      called.set();
    });
    ::raise(SIGUSR1);
    co_await kit::until([&] { return reports.count("Exception in signal handler") == 1; });
    ::raise(SIGUSR1);
    co_await called.wait();
    get_running_loop().remove_signal_handler(SIGUSR1);
  });
}

TEST(signal_handler, may_remove_itself_and_add_others) {
  kit::on_loops([]() -> Coro<> {
    Event called;
    Loop& loop = get_running_loop();
    loop.add_signal_handler(SIGUSR1, [&] {
      EXPECT_TRUE(get_running_loop().remove_signal_handler(SIGUSR1));
      get_running_loop().add_signal_handler(SIGUSR1, [&] { called.set(); });
      ::raise(SIGUSR1);
    });
    ::raise(SIGUSR1);
    co_await called.wait();
    get_running_loop().remove_signal_handler(SIGUSR1);
  });
}

TEST(signal_handler, runs_in_the_context_of_its_making) {
  static ContextVar<int> variable{"variable", 0};
  kit::on_one_loop([]() -> Coro<> {
    Event called;
    int seen = -1;
    const auto token = variable.set(5);
    get_running_loop().add_signal_handler(SIGUSR1, [&] {
      seen = variable.get();
      called.set();
    });
    variable.reset(token);
    ::raise(SIGUSR1);
    co_await called.wait();
    EXPECT_EQ(seen, 5);
    get_running_loop().remove_signal_handler(SIGUSR1);
  });
}

TEST(signal_handler, of_two_runners_the_later_gets_the_signal_until_it_lets_go) {
  KIT_NEEDS_KERNEL("two Runners at once");
  const kit::Watchdog watchdog;
  const Restored restored(SIGUSR1);
  ::signal(SIGUSR1, &foreign_handler);
  std::atomic<int> older{0};
  std::atomic<int> newer{0};
  Runner first({.loops = 2});
  auto add_to = [](std::atomic<int>& calls) -> Coro<> {
    get_running_loop().add_signal_handler(SIGUSR1, [&] { ++calls; });
    co_return;
  };
  auto see = [](std::atomic<int>& calls, int expected) -> Coro<> {
    co_await kit::until([&] { return calls == expected; });
  };
  first.run(add_to, std::ref(older));
  {
    Runner second({.loops = 2});
    second.run(add_to, std::ref(newer));
    ::raise(SIGUSR1);
    second.run(see, std::ref(newer), 1);
    first.run(add_to, std::ref(older));  // is the later one now
    ::raise(SIGUSR1);
    first.run(see, std::ref(older), 1);
    second.run(add_to, std::ref(newer));
  }
  ::raise(SIGUSR1);
  first.run(see, std::ref(older), 2);
  EXPECT_EQ(newer, 1);
  first.close();
  EXPECT_EQ(disposition_of(SIGUSR1), &foreign_handler);
}

TEST(signal_handler, of_a_runner_that_goes_first_leaves_the_later_one_s_alone) {
  KIT_NEEDS_KERNEL("two Runners at once");
  const kit::Watchdog watchdog;
  const Restored restored(SIGUSR1);
  ::signal(SIGUSR1, &foreign_handler);
  std::atomic<int> calls{0};
  auto first = std::make_unique<Runner>(RunOptions{.loops = 1});
  Runner second({.loops = 1});
  first->run([]() -> Coro<> {
    get_running_loop().add_signal_handler(SIGUSR1, [] { ADD_FAILURE() << "not the later one"; });
    co_return;
  });
  second.run([&]() -> Coro<> {
    get_running_loop().add_signal_handler(SIGUSR1, [&] { ++calls; });
    co_return;
  });
  first.reset();
  ::raise(SIGUSR1);
  second.run([&]() -> Coro<> { co_await kit::until([&] { return calls == 1; }); });
  second.close();
  EXPECT_EQ(disposition_of(SIGUSR1), &foreign_handler);
}

// Signals from all sides while handlers come and go, and the Runner with them.
TEST(signal_handler, survives_signals_that_rain_while_handlers_and_runners_come_and_go) {
  KIT_NEEDS_KERNEL("threads");
  const Restored restored(SIGUSR1);
  ::signal(SIGUSR1, &foreign_handler);
  std::atomic<bool> over{false};
  std::thread rain([&] {
    while (!over) ::kill(::getpid(), SIGUSR1);
  });
  std::atomic<int> calls{0};
  for (int round = 0; round < 20; ++round) {
    kit::on_loops([&]() -> Coro<> {
      for (int i = 0; i < 20; ++i) {
        for (Loop* loop : detail::running_loops("test"))
          loop->add_signal_handler(SIGUSR1, [&, text = std::string(100, 'x')] {
            if (text.size() == 100) ++calls;
          });
        co_await kit::yield();
        if (i % 2 == 0) get_running_loop().remove_signal_handler(SIGUSR1);
      }
    });
  }
  over = true;
  rain.join();
  EXPECT_GT(calls, 0);
}

TEST(signal_handler, for_sigint_takes_the_place_of_keyboard_interrupt_until_it_is_removed) {
  KIT_NEEDS_KERNEL("SIGINT");
  for (const int loops : {1, 3}) {
    const kit::Watchdog watchdog;
    Runner runner({.loops = loops});
    int calls = 0;
    runner.run([&]() -> Coro<> {
      Event called;
      get_running_loop().add_signal_handler(SIGINT, [&] {
        ++calls;
        called.set();
      });
      for (int i = 0; i < 3; ++i) {
        ::kill(::getpid(), SIGINT);
        co_await called.wait();
        called.clear();
      }
      get_running_loop().add_signal_handler(SIGINT, [&] { ++calls; });
    });
    EXPECT_EQ(calls, 3);
    // In a later run too; and what is removed there was over that run's own rule.
    EXPECT_THROW(runner.run([&]() -> Coro<> {
      ::kill(::getpid(), SIGINT);
      co_await kit::until([&] { return calls == 4; });
      get_running_loop().remove_signal_handler(SIGINT);
      ::kill(::getpid(), SIGINT);
      co_await sleep(1h);
    }),
                 KeyboardInterrupt);
    EXPECT_EQ(calls, 4);
    EXPECT_EQ(disposition_of(SIGINT), SIG_DFL);
  }
}

TEST(signal_handler, is_refused_once_the_runner_is_closed) {
  Runner runner({.loops = 1});
  Loop& loop = runner.get_loop();
  runner.close();
  EXPECT_THROW(loop.add_signal_handler(SIGUSR1, [] {}), LoopClosed);
}

// Whoever waits for children need not share that with us.
TEST(signal_handler, of_sigchld_is_the_program_s) {
  kit::on_loops([]() -> Coro<> {
    EXPECT_EQ(disposition_of(SIGCHLD), SIG_DFL);
    Event called;
    get_running_loop().add_signal_handler(SIGCHLD, [&] { called.set(); });
    ::raise(SIGCHLD);
    co_await called.wait();
    EXPECT_TRUE(get_running_loop().remove_signal_handler(SIGCHLD));
  });
}

}  // namespace
