// Talking to processes: communicate, and the streams.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>
#include <pipe_write.hpp>

#include <coil/coil.hpp>
#include <kit/reports.hpp>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include "subprocess_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;
using coil::create_subprocess_exec;
using coil::create_subprocess_shell;
using coil::PIPE;
using kit::on_loops_leaving_nothing;
using kit::pattern;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

TEST(Communicate, feeds_the_input_and_reads_both_outputs_at_the_same_time) {
  on_loops_leaving_nothing([]() -> Coro<> {
    // More than any pipe holds, each way, and the errors first.
    const auto process = co_await create_subprocess_shell(
        "tee /dev/stderr", {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = PIPE});
    const std::string input = pattern(4 * mebibyte);
    const coil::ProcessOutput output = co_await process.communicate(input);
    EXPECT_TRUE(output.out == input);
    EXPECT_TRUE(output.err == input);
    EXPECT_EQ(process.returncode(), 0);
  });
}

TEST(Communicate, takes_bytes_too_and_copies_them_when_it_is_called) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process =
        co_await create_subprocess_exec("cat", {}, {.stdin_ = PIPE, .stdout_ = PIPE});
    std::string bytes("\0\xff\n", 3);
    auto talking = process.communicate(std::as_bytes(std::span(bytes)));
    bytes = "xxx";
    EXPECT_EQ((co_await std::move(talking)).out, std::string("\0\xff\n", 3));
  });
}

// No SIGPIPE: its default would end this program.
TEST(Communicate, does_not_mind_a_process_that_does_not_read_its_input) {
  on_loops_leaving_nothing([]() -> Coro<> {
    for (int i = 0; i < 10; ++i) {
      const auto process =
          co_await create_subprocess_shell("echo done", {.stdin_ = PIPE, .stdout_ = PIPE});
      EXPECT_EQ((co_await process.communicate(pattern(mebibyte))).out, "done\n");
      EXPECT_EQ(process.returncode(), 0);
    }
    const auto closes =
        co_await create_subprocess_shell("exec <&-; echo done", {.stdin_ = PIPE, .stdout_ = PIPE});
    EXPECT_EQ((co_await closes.communicate(pattern(mebibyte))).out, "done\n");
  });
}

TEST(Communicate, waits_for_the_end_of_a_process_that_closes_its_output_before) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_shell("exec >&-; sleep 0.02; exit 4",
                                                          {.stdin_ = PIPE, .stdout_ = PIPE});
    EXPECT_EQ((co_await process.communicate()).out, "");
    EXPECT_EQ(process.returncode(), 4);
  });
}

TEST(Communicate, that_is_cancelled_kills_the_process_and_returns_when_it_is_gone) {
  on_loops_leaving_nothing([]() -> Coro<> {
    // One that would end by itself at the end of its input, one that writes for ever, and two that
    // pay no attention.
    for (const char* command : {"cat", "yes", "sleep 100", "trap '' TERM HUP INT; sleep 100"}) {
      const auto process = co_await create_subprocess_shell(
          std::string("exec 3>&1; ") + command, {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = PIPE});
      auto talking = coil::create_task(process.communicate(pattern(mebibyte)));
      co_await coil::sleep(2ms);
      if (talking.cancel()) {
        try {
          co_await talking;
        } catch (const coil::CancelledError&) {
          EXPECT_EQ(process.returncode(), -SIGKILL) << command;
        }
      }
      EXPECT_TRUE(process.returncode().has_value()) << command;
      EXPECT_EQ(kit::children().zombies, 0);
    }
  });
}

TEST(Communicate, that_takes_too_long_ends_with_the_process) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("sleep", {"100"}, {.stdout_ = PIPE});
    co_await kit::thrown_by<coil::TimeoutError>(coil::wait_for(process.communicate(), 5ms));
    EXPECT_EQ(process.returncode(), -SIGKILL);
    // A scope cancels again and again, which must not cut the clean-up short.
    const auto other = co_await create_subprocess_exec("sleep", {"100"}, {.stdout_ = PIPE});
    const auto result =
        co_await coil::move_on_after(5ms, [&]() -> Coro<> { (void)co_await other.communicate(); });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_EQ(other.returncode(), -SIGKILL);
  });
}

TEST(Communicate, with_two_hundred_processes_at_once_loses_nothing) {
  on_loops_leaving_nothing([]() -> Coro<> {
    std::vector<coil::Task<>> tasks;
    for (int i = 0; i < 200; ++i) {
      tasks.push_back(coil::create_task(
          [](std::size_t number) -> Coro<> {
            const auto process =
                co_await create_subprocess_exec("cat", {}, {.stdin_ = PIPE, .stdout_ = PIPE});
            std::string input = pattern(mebibyte + number);
            input += std::to_string(number);
            const auto output = co_await process.communicate(input);
            EXPECT_TRUE(output.out == input) << number;
            EXPECT_EQ(process.returncode(), 0);
          },
          static_cast<std::size_t>(i)));
    }
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(kit::children().all, 0);
  });
}

TEST(ProcessStreams, are_a_conversation) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process =
        co_await create_subprocess_exec("cat", {}, {.stdin_ = PIPE, .stdout_ = PIPE});
    const auto in = process.stdin_();
    const auto out = process.stdout_();
    for (int i = 0; i < 100; ++i) {
      const std::string line = "line " + std::to_string(i) + "\n";
      in.write(line);
      co_await in.drain();
      EXPECT_EQ(co_await out.readline(), line);
    }
    in.write("the rest");
    in.write_eof();
    EXPECT_THROW(in.write("more"), std::runtime_error);
    co_await in.wait_closed();
    EXPECT_EQ(co_await out.read(), "the rest");
    EXPECT_TRUE(out.at_eof());
    EXPECT_EQ(co_await process.wait(), 0);
  });
}

TEST(ProcessStreams, hold_back_a_writer_whose_process_does_not_read) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process =
        co_await create_subprocess_shell("read line; cat > /dev/null", {.stdin_ = PIPE});
    const auto in = process.stdin_();
    process.send_signal(SIGSTOP);
    in.write(pattern(mebibyte));
    EXPECT_GT(in.get_write_buffer_size(), mebibyte / 2);
    co_await kit::thrown_by<coil::TimeoutError>(coil::wait_for(in.drain(), 5ms));
    process.send_signal(SIGCONT);
    co_await in.drain();
    in.close();
    co_await in.wait_closed();
    EXPECT_EQ(co_await process.wait(), 0);
  });
}

TEST(ProcessStreams, hold_back_a_process_whose_output_nobody_reads) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("yes", {}, {.stdout_ = PIPE});
    const auto out = process.stdout_();
    EXPECT_EQ(co_await out.readexactly(4), "y\ny\n");
    co_await coil::sleep(20ms);
    // What was read ahead: twice the limit and one more piece; what comes next is still there.
    for (int i = 0; i < 1'000; ++i)
      EXPECT_EQ((co_await out.readexactly(1'000)).substr(0, 4), "y\ny\n");
    process.kill();
    EXPECT_EQ(co_await process.wait(), -SIGKILL);
    const std::string rest = co_await out.read();
    EXPECT_LT(rest.size(), 4U * 64 * 1024) << "read ahead, and what a pipe holds";
  });
}

TEST(ProcessStreams, tell_a_writer_that_the_process_has_gone) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("true", {}, {.stdin_ = PIPE});
    co_await process.wait();
    const auto in = process.stdin_();
    in.write(pattern(mebibyte));
    EXPECT_EQ(co_await kit::error_of(in.drain()), EPIPE);
    in.write("ignored");
    EXPECT_EQ(co_await kit::error_of(in.wait_closed()), EPIPE);
    const auto other = co_await create_subprocess_exec("true", {}, {.stdin_ = PIPE});
    co_await other.wait();
    other.stdin_().write("little");
    co_await kit::until([&] { return other.stdin_().get_write_buffer_size() == 0; });
    EXPECT_EQ(co_await kit::error_of(other.stdin_().drain()), EPIPE);
  });
}

TEST(ProcessStreams, end_when_whoever_has_inherited_them_has_gone) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process =
        co_await create_subprocess_shell("(sleep 0.03; echo late) & exit 0", {.stdout_ = PIPE});
    EXPECT_EQ(co_await process.wait(), 0);
    EXPECT_EQ(co_await process.stdout_().read(), "late\n");
  });
}

TEST(ProcessStreams, outlive_the_process) {
  on_loops_leaving_nothing([]() -> Coro<> {
    std::optional<coil::StreamReader> out;
    {
      const auto process =
          co_await create_subprocess_exec("echo", {"left behind"}, {.stdout_ = PIPE});
      out.emplace(process.stdout_());
      co_await process.wait();
    }
    EXPECT_EQ(co_await out->read(), "left behind\n");
  });
}

TEST(ProcessStreams, have_no_addresses) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_exec("cat", {}, {.stdin_ = PIPE});
    EXPECT_TRUE(process.stdin_().peername().empty());
    EXPECT_TRUE(process.stdin_().sockname().empty());
    process.stdin_().abort();
    EXPECT_EQ(co_await process.wait(), 0);
  });
}

TEST(PipeWrite, takes_back_the_signal_of_a_broken_pipe_and_no_other) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  const std::byte byte{};
  EXPECT_EQ(coil::detail::write_without_signal(ends[1], {&byte, 1}), -1);
  EXPECT_EQ(errno, EPIPE);
  sigset_t pipe, before, pending;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  ::sigpending(&pending);
  EXPECT_FALSE(sigismember(&pending, SIGPIPE));
  // One that was waiting before is the program's.
  ::raise(SIGPIPE);
  EXPECT_EQ(coil::detail::write_without_signal(ends[1], {&byte, 1}), -1);
  ::sigpending(&pending);
  EXPECT_TRUE(sigismember(&pending, SIGPIPE));
  const timespec at_once{};
  EXPECT_EQ(::sigtimedwait(&pipe, nullptr, &at_once), SIGPIPE);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(ends[1]);
}

// Processes that are killed, cancelled, dropped, closed at any stage, from all loops.
Coro<> storm(unsigned seed) {
  std::mt19937 random(seed);
  for (int round = 0; round < 12; ++round) {
    static constexpr const char* programs[] = {"cat", "yes", "true", "sleep 100",
                                               "head -c 100000 /dev/zero; sleep 100"};
    const auto process = co_await create_subprocess_shell(
        std::string("exec ") + programs[random() % 5],
        {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = random() % 2 == 0 ? coil::DEVNULL : PIPE});
    const auto pause = std::chrono::microseconds(random() % 3'000);
    switch (random() % 6) {
      case 0: {
        auto talking = coil::create_task(process.communicate(pattern(100'000)));
        co_await coil::sleep(pause);
        talking.cancel();
        co_await coil::wait(std::vector{talking});
        break;
      }
      case 1:
        (void)co_await coil::move_on_after(
            pause, [&]() -> Coro<> { (void)co_await process.communicate(); });
        break;
      case 2:
        co_await coil::sleep(pause);
        process.kill();
        EXPECT_TRUE((co_await process.wait()) <= 0);
        break;
      case 3:
        process.stdin_().write(pattern(200'000));
        co_await coil::sleep(pause);
        process.terminate();
        break;
      case 4: {
        auto reading = coil::create_task(process.stdout_().read(1'000));
        co_await coil::sleep(pause);
        reading.cancel();
        break;
      }
      default:
        break;  // dropped
    }
  }
}

TEST(Communicate, in_a_storm_of_cancels_and_kills_leaves_no_zombie_and_no_descriptor) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto loops = coil::detail::running_loops("test");
    std::vector<coil::Task<>> tasks;
    for (unsigned i = 0; i < 16; ++i)
      tasks.push_back(i % 2 == 0 ? coil::create_task(storm(i))
                                 : loops[i % loops.size()]->create_task(storm(i)));
    co_await coil::sleep(30ms);
    // Some are cut off in the middle; what they have left behind is run()'s to end.
    for (std::size_t i = 0; i < 4; ++i) tasks[i].cancel();
    co_await coil::wait(tasks);
    for (std::size_t i = 4; i < tasks.size(); ++i) EXPECT_EQ(tasks[i].exception(), nullptr);
  });
}

}  // namespace
