// RunOptions::sigterm inside one program; how a program ends by it is in exit_test.cpp.
#include <gtest/gtest.h>
#include <signal.h>

#include <coil/event.hpp>
#include <coil/exceptions.hpp>
#include <coil/nursery.hpp>
#include <coil/run.hpp>
#include <coil/sleep.hpp>
#include <kit/loops.hpp>
#include <kit/needs_kernel.hpp>

using namespace coil;
using namespace std::chrono_literals;

namespace {

auto disposition_of_sigterm() {
  struct sigaction action{};
  ::sigaction(SIGTERM, nullptr, &action);
  return action.sa_handler;
}

Coro<int> terminated(bool& unwound) {
  try {
    ::raise(SIGTERM);
    co_await sleep(1h);
  } catch (const CancelledError&) {
    unwound = true;
    throw;
  }
  co_return 1;
}

TEST(run_options, shut_down_gracefully_when_told_to) {
  KIT_NEEDS_KERNEL("signals");
  for (const int loops : {1, 2, 4}) {
    const kit::Watchdog watchdog;
    bool unwound = false;
    EXPECT_THROW(run(terminated(unwound), {.loops = loops, .sigterm = true}), TerminationRequest);
    EXPECT_TRUE(unwound);
    EXPECT_EQ(disposition_of_sigterm(), SIG_DFL);
  }
}

TEST(run_options, leave_sigterm_alone_where_nobody_asked_or_somebody_handles_it) {
  KIT_NEEDS_KERNEL("signals");
  run(
      []() -> Coro<> {
        EXPECT_EQ(disposition_of_sigterm(), SIG_DFL);
        co_return;
      },
      {.loops = 1});
  ::signal(SIGTERM, SIG_IGN);
  run(
      []() -> Coro<> {
        ::raise(SIGTERM);
        co_await sleep(1ms);
      },
      {.loops = 1, .sigterm = true});
  EXPECT_EQ(disposition_of_sigterm(), SIG_IGN);
  ::signal(SIGTERM, SIG_DFL);
}

TEST(run_options, leave_sigterm_to_a_handler_that_was_added_for_it) {
  KIT_NEEDS_KERNEL("signals");
  const kit::Watchdog watchdog;
  run(
      []() -> Coro<> {
        Event called;
        get_running_loop().add_signal_handler(SIGTERM, [&] { called.set(); });
        for (int i = 0; i < 3; ++i) {
          ::raise(SIGTERM);
          co_await called.wait();
          called.clear();
        }
      },
      {.loops = 2, .sigterm = true});
  EXPECT_EQ(disposition_of_sigterm(), SIG_DFL);
}

// As KeyboardInterrupt: nobody who handles failures of a group's tasks has this one by accident.
TEST(termination_request, comes_out_of_groups_unwrapped) {
  kit::on_loops([]() -> Coro<> {
    bool caught = false;
    try {
      co_await open_nursery([](Nursery& nursery) -> Coro<> {
        nursery.start_soon([]() -> Coro<> {
          throw TerminationRequest();
          co_return;
        });
        co_await sleep(1h);
      });
    } catch (const TerminationRequest&) {
      caught = true;
    }
    EXPECT_TRUE(caught);
  });
}

}  // namespace
