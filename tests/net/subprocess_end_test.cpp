// How processes end, who sees it, and that nothing is left of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <coil/coil.hpp>
#include <kit/reports.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "subprocess_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;
using coil::create_subprocess_exec;
using coil::create_subprocess_shell;
using coil::PIPE;
using coil::Process;
using kit::on_loops_leaving_nothing;

TEST(Process, tells_how_it_ended) {
  on_loops_leaving_nothing([]() -> Coro<> {
    auto process = co_await create_subprocess_shell("exit 7");
    EXPECT_EQ(co_await process.wait(), 7);
    EXPECT_EQ(process.returncode(), 7);
    process = co_await create_subprocess_shell("kill -USR1 $$");
    EXPECT_EQ(co_await process.wait(), -SIGUSR1);
    process = co_await create_subprocess_exec("sleep", {"100"});
    EXPECT_EQ(process.returncode(), std::nullopt);
    process.terminate();
    EXPECT_EQ(co_await process.wait(), -SIGTERM);
    process = co_await create_subprocess_exec("sleep", {"100"});
    process.kill();
    EXPECT_EQ(co_await process.wait(), -SIGKILL);
    process = co_await create_subprocess_exec("sleep", {"100"});
    process.send_signal(SIGHUP);
    EXPECT_EQ(co_await process.wait(), -SIGHUP);
  });
}

TEST(Process, may_be_awaited_by_many_tasks_on_all_loops) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("cat", {}, {.stdin_ = PIPE});
    std::vector<coil::Task<int>> waiting;
    for (int i = 0; i < 3; ++i)
      for (coil::Loop* loop : coil::detail::running_loops("test"))
        waiting.push_back(loop->create_task(process.wait()));
    co_await kit::yield(10);
    for (const auto& task : waiting) EXPECT_FALSE(task.done());
    process.stdin_().close();
    for (const auto& task : waiting) EXPECT_EQ(co_await task, 0);
  });
}

TEST(Process, goes_on_when_a_wait_is_cancelled) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("sleep", {"100"});
    for (int i = 0; i < 3; ++i)
      co_await kit::thrown_by<coil::TimeoutError>(coil::wait_for(process.wait(), 1ms));
    EXPECT_EQ(process.returncode(), std::nullopt);
    process.terminate();
    EXPECT_EQ(co_await process.wait(), -SIGTERM);
  });
}

TEST(Process, does_nothing_when_it_is_signalled_after_its_end) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("true");
    EXPECT_EQ(co_await process.wait(), 0);
    process.kill();
    process.terminate();
    process.send_signal(SIGUSR1);
    process.send_signal(9'999);
    EXPECT_EQ(process.returncode(), 0);
  });
}

TEST(Process, refuses_a_signal_that_does_not_exist) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("sleep", {"100"});
    EXPECT_THROW(process.send_signal(9'999), std::system_error);
    EXPECT_THROW(process.send_signal(-1), std::system_error);
    process.send_signal(0);
    process.kill();
    co_await process.wait();
  });
}

// Nobody waits: the process is reaped all the same.
TEST(Process, is_reaped_though_nobody_waits) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("true");
    co_await kit::until([&] { return process.returncode().has_value(); });
    EXPECT_EQ(kit::children().all, 0);
  });
}

TEST(Process, is_killed_and_reaped_when_its_last_handle_goes) {
  on_loops_leaving_nothing([]() -> Coro<> {
    {
      std::optional<Process> process;
      process.emplace(co_await create_subprocess_exec("sleep", {"100"}, {.stdout_ = PIPE}));
      const Process copy = *process;
      process.reset();
      co_await coil::sleep(5ms);
      EXPECT_EQ(kit::children().all, 1) << "a handle is left";
      EXPECT_EQ(copy.returncode(), std::nullopt);
    }
    co_await kit::until([] { return kit::children().all == 0; });
  });
}

TEST(Process, that_is_awaited_has_a_handle) {
  on_loops_leaving_nothing([]() -> Coro<> {
    std::optional<Process> process;
    process.emplace(co_await create_subprocess_exec("cat", {}, {.stdin_ = PIPE}));
    auto waiting = coil::create_task(process->wait());
    const auto input = process->stdin_();
    process.reset();
    co_await kit::yield(10);
    input.close();
    EXPECT_EQ(co_await waiting, 0);
  });
}

// asyncio's transport does that too.
TEST(Process, that_runs_when_its_last_handle_goes_is_reported_in_debug_mode) {
  kit::on_loops(
      []() -> Coro<> {
        const kit::Reports reports;
        {
          const auto ended = co_await create_subprocess_exec("true", {}, {.stdin_ = PIPE});
          co_await ended.wait();
        }
        EXPECT_TRUE(reports.empty()) << reports.text();
        (void)co_await create_subprocess_exec("sleep", {"100"});
        EXPECT_EQ(reports.count("still ran when its last handle went"), 1) << reports.text();
      },
      {.debug = true});
}

TEST(Process, does_not_survive_the_run_that_left_it) {
  on_loops_leaving_nothing([]() -> Coro<> {
    for (coil::Loop* loop : coil::detail::running_loops("test")) {
      loop->create_task([]() -> Coro<> {
        const auto process = co_await create_subprocess_exec("sleep", {"100"}, {.stdin_ = PIPE});
        co_await process.wait();
      });
    }
    co_await kit::until([] {
      return kit::children().all == static_cast<int>(coil::detail::running_loops("test").size());
    });
  });
}

// Nobody could see its end any more.
TEST(Process, does_not_survive_its_runner_though_there_are_handles) {
  for (const int loops : {1, 2, 4}) {
    const kit::Watchdog watchdog;
    std::optional<Process> kept;
    std::optional<coil::StreamReader> output;
    coil::run(
        [&]() -> Coro<> {
          kept.emplace(co_await create_subprocess_exec("sleep", {"100"}, {.stdout_ = PIPE}));
          output.emplace(kept->stdout_());
        },
        coil::RunOptions{.loops = loops});
    EXPECT_EQ(kept->returncode(), -SIGKILL);
    EXPECT_EQ(kit::children().all, 0);
    kept->kill();
  }
}

TEST(Process, may_lose_its_last_handle_on_a_thread_that_is_no_loop) {
  on_loops_leaving_nothing([]() -> Coro<> {
    std::optional<Process> process;
    process.emplace(co_await create_subprocess_exec("sleep", {"100"}, {.stdout_ = PIPE}));
    std::thread([&] { process.reset(); }).join();
    co_await kit::until([] { return kit::children().all == 0; });
  });
}

TEST(Process, ends_also_where_the_program_ignores_its_children) {
  ::signal(SIGCHLD, SIG_IGN);
  on_loops_leaving_nothing([]() -> Coro<> {
    auto process = co_await create_subprocess_exec("sleep", {"0.01"});
    EXPECT_EQ(co_await process.wait(), 255)
        << "the kernel has reaped it, nobody knows how it ended";
    process = co_await create_subprocess_exec("sleep", {"100"});
    process.kill();
    EXPECT_EQ(co_await process.wait(), 255);
    std::vector<Process> many;
    for (int i = 0; i < 20; ++i) many.push_back(co_await create_subprocess_exec("true"));
    for (const auto& one : many) EXPECT_EQ(co_await one.wait(), 255);
  });
  ::signal(SIGCHLD, SIG_DFL);
}

TEST(Process, ends_also_where_the_program_reaps_its_children_itself) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("cat", {}, {.stdin_ = PIPE});
    auto waiting = coil::create_task(process.wait());
    std::thread thief([&] {
      int status = 0;
      process.kill();
      EXPECT_THAT(::waitpid(process.pid(), &status, 0), testing::AnyOf(process.pid(), -1));
    });
    thief.join();
    EXPECT_THAT(co_await waiting, testing::AnyOf(255, -SIGKILL));
  });
}

TEST(Process, leaves_sigchld_to_the_program) {
  struct sigaction before{};
  struct sigaction during{};
  ::sigaction(SIGCHLD, nullptr, &before);
  on_loops_leaving_nothing([&]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("true");
    ::sigaction(SIGCHLD, nullptr, &during);
    EXPECT_EQ(during.sa_handler, before.sa_handler);
    co_await process.wait();
  });
}

TEST(Process, has_streams_only_where_it_was_given_pipes) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("true", {}, {.stderr_ = PIPE});
    EXPECT_THROW((void)process.stdin_(), std::runtime_error);
    try {
      (void)process.stdout_();
      ADD_FAILURE() << "there is none";
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("was not started with .stdout_ = PIPE"));
    }
    EXPECT_EQ(co_await process.stderr_().read(), "");
    Process moved = process;
    const Process taken = std::move(moved);
    // NOLINTNEXTLINE(bugprone-use-after-move): what it says then
    EXPECT_THROW((void)moved.pid(), std::logic_error);
    co_await taken.wait();
  });
}

}  // namespace
