// Starting processes: what they get, and what is refused.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#include <array>
#include <coil/coil.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <kit/temporary_directory.hpp>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "subprocess_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;
using coil::create_subprocess_exec;
using coil::create_subprocess_shell;
using coil::DEVNULL;
using coil::PIPE;
using coil::STDOUT;
using kit::on_loops_leaving_nothing;
using kit::output_of;

// The message and number of the system_error that awaiting it throws.
struct Failure {
  int error = 0;
  std::string text;
};
template <class A>
Coro<Failure> failure_of(A awaitable) {
  try {
    (void)co_await coil::detail::to_await(awaitable);
  } catch (const std::system_error& error) {
    co_return Failure{error.code().value(), error.what()};
  }
  ADD_FAILURE() << "did not throw";
  co_return Failure{};
}

TEST(Subprocess, runs_a_program_with_arguments_and_gives_its_output_and_exit_code) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process =
        co_await create_subprocess_exec("printf", {"%s|", "a b", "", "$c"}, {.stdout_ = PIPE});
    EXPECT_GT(process.pid(), 0);
    const auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out, "a b||$c|") << "no shell in between";
    EXPECT_EQ(err, "");
    EXPECT_EQ(process.returncode(), 0);
    EXPECT_EQ(co_await process.wait(), 0);
  });
}

TEST(Subprocess, takes_its_arguments_as_any_range_of_texts) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const std::vector<std::string> strings{"one", "two"};
    const std::array<std::string_view, 2> views{"one", "two"};
    std::vector<coil::Process> processes;
    processes.push_back(co_await create_subprocess_exec("echo", strings, {.stdout_ = PIPE}));
    processes.push_back(co_await create_subprocess_exec("echo", views, {.stdout_ = PIPE}));
    processes.push_back(
        co_await create_subprocess_exec("echo", std::span(strings), {.stdout_ = PIPE}));
    for (const auto& process : processes)
      EXPECT_EQ((co_await process.communicate()).out, "one two\n");
    const auto none = co_await create_subprocess_exec("true");
    EXPECT_EQ(co_await none.wait(), 0);
    // In one expression: what starting it has used is gone by then.
    const auto output =
        co_await (co_await create_subprocess_exec("echo", {}, {.stdout_ = PIPE})).communicate();
    EXPECT_EQ(output.out, "\n");
  });
}

TEST(Subprocess, copies_its_texts_when_it_is_called) {
  on_loops_leaving_nothing([]() -> Coro<> {
    std::optional<Coro<coil::Process>> starting;
    {
      std::string program(200, 'x');
      program = "sh";
      std::string script = std::string(100, ' ') + "pwd; echo $NAME";
      std::string directory = "/usr/bin/../bin/../../usr/lib/../../tmp/";
      std::map<std::string, std::string> variables{{"NAME", std::string(100, 'v')}};
      starting = create_subprocess_exec(program, {"-c", script},
                                        {.stdout_ = PIPE, .env = variables, .cwd = directory});
      script.assign(script.size(), '?');
      directory.assign(directory.size(), '?');
    }
    const auto process = co_await std::move(*starting);
    EXPECT_EQ((co_await process.communicate()).out, "/tmp\n" + std::string(100, 'v') + "\n");
  });
}

TEST(Subprocess, of_a_shell_takes_a_command_line) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_shell("echo out; echo err >&2; exit 3",
                                                          {.stdout_ = PIPE, .stderr_ = PIPE});
    const auto output = co_await process.communicate();
    EXPECT_EQ(output.out, "out\n");
    EXPECT_EQ(output.err, "err\n");
    EXPECT_EQ(co_await process.wait(), 3);
  });
}

TEST(Subprocess, has_the_environment_that_it_is_given_or_this_program_s) {
  on_loops_leaving_nothing([]() -> Coro<> {
    ::setenv("COIL_TEST_VARIABLE", "inherited", 1);
    const std::string command = "echo $COIL_TEST_VARIABLE";
    EXPECT_EQ(co_await output_of(command), "inherited\n");
    EXPECT_EQ(co_await output_of(command, {.env = {}}), "inherited\n");
    EXPECT_EQ(co_await output_of(command, {.env = std::nullopt}), "inherited\n");
    EXPECT_EQ(co_await output_of(command, {.env = {{"COIL_TEST_VARIABLE", "a"}}}), "a\n");
    const std::map<std::string, std::string> map{{"COIL_TEST_VARIABLE", "b"}, {"C", "D"}};
    EXPECT_EQ(co_await output_of(command, {.env = map}), "b\n");
    const std::vector<std::string> texts{"COIL_TEST_VARIABLE=c=d"};
    const coil::ProcessEnvironment made_ahead(texts);
    const coil::SubprocessOptions options{.env = made_ahead};
    EXPECT_EQ(co_await output_of(command, {.env = texts}), "c=d\n");
    EXPECT_EQ(co_await output_of(command, options), "c=d\n");
    EXPECT_EQ(
        co_await output_of("/usr/bin/env | grep -c VARIABLE", {.env = std::vector<std::string>()}),
        "0\n");
    ::unsetenv("COIL_TEST_VARIABLE");
  });
}

// Python's rule: the process's own PATH counts.
TEST(Subprocess, is_looked_for_in_the_path_of_its_environment) {
  const kit::TemporaryDirectory temporary;
  const std::string& directory = temporary.path();
  std::ofstream(directory + "/coil_test_program") << "#!/bin/sh\necho found\n";
  std::ofstream(directory + "/no_program") << "text";
  std::filesystem::permissions(directory + "/coil_test_program", std::filesystem::perms::owner_all);
  on_loops_leaving_nothing([&]() -> Coro<> {
    const auto start = [&](std::string_view name, std::string path, std::string_view cwd = {}) {
      return create_subprocess_exec(name, {},
                                    {.stdout_ = PIPE, .env = {{"PATH", path}}, .cwd = cwd});
    };
    auto process = co_await start("coil_test_program", "/nowhere:" + directory);
    EXPECT_EQ((co_await process.communicate()).out, "found\n");
    process = co_await start("coil_test_program", ":/nowhere", directory);
    EXPECT_EQ((co_await process.communicate()).out, "found\n") << "an empty entry: where it runs";
    process = co_await start("./coil_test_program", "", directory);
    EXPECT_EQ((co_await process.communicate()).out, "found\n");
    EXPECT_EQ((co_await failure_of(create_subprocess_exec("coil_test_program"))).error, ENOENT);
    EXPECT_EQ((co_await failure_of(start("no_program", directory))).error, EACCES);
  });
}

TEST(Subprocess, that_cannot_be_started_says_what_is_missing) {
  on_loops_leaving_nothing([]() -> Coro<> {
    auto failure = co_await failure_of(create_subprocess_exec("no-such-program", {"a"}));
    EXPECT_EQ(failure.error, ENOENT);
    EXPECT_THAT(failure.text, testing::HasSubstr("create_subprocess_exec of 'no-such-program'"));
    failure = co_await failure_of(
        create_subprocess_exec("/nowhere/program", {}, {.stdin_ = PIPE, .stdout_ = PIPE}));
    EXPECT_EQ(failure.error, ENOENT);
    EXPECT_THAT(failure.text, testing::HasSubstr("'/nowhere/program'"));
    failure = co_await failure_of(create_subprocess_exec("true", {}, {.cwd = "/no/directory"}));
    EXPECT_EQ(failure.error, ENOENT);
    EXPECT_THAT(failure.text, testing::HasSubstr("working directory '/no/directory'"));
    failure = co_await failure_of(create_subprocess_exec("true", {}, {.cwd = "/proc/self/exe"}));
    EXPECT_EQ(failure.error, ENOTDIR);
    failure = co_await failure_of(create_subprocess_exec("/etc/passwd"));
    EXPECT_EQ(failure.error, EACCES);
    failure = co_await failure_of(create_subprocess_exec("true", {}, {.stdout_ = 9'999}));
    EXPECT_EQ(failure.error, EBADF);
    EXPECT_THAT(failure.text, testing::HasSubstr(".stdout_ = 9999"));
    EXPECT_EQ((co_await failure_of(create_subprocess_exec("true", {}, {.stdin_ = -1}))).error,
              EBADF);
  });
}

TEST(Subprocess, is_refused_with_texts_that_no_program_could_get) {
  using Strings = std::vector<std::string>;
  using namespace std::string_view_literals;
  on_loops_leaving_nothing([]() -> Coro<> {
    EXPECT_THROW((void)create_subprocess_exec("tr\0ue"sv), std::invalid_argument);
    EXPECT_THROW((void)create_subprocess_exec("true", {"a\0b"sv}), std::invalid_argument);
    EXPECT_THROW((void)create_subprocess_shell("true\0"sv), std::invalid_argument);
    EXPECT_THROW((void)create_subprocess_exec("true", {}, {.cwd = "/\0"sv}), std::invalid_argument);
    EXPECT_THROW((void)create_subprocess_exec("true", {}, {.env = {{"A", "\0"sv}}}),
                 std::invalid_argument);
    EXPECT_THROW((void)create_subprocess_exec("true", {}, {.env = {{"A=B", "c"}}}),
                 std::invalid_argument);
    EXPECT_THROW((void)create_subprocess_exec("true", {}, {.env = {{"", "c"}}}),
                 std::invalid_argument);
    EXPECT_THROW((void)create_subprocess_exec("true", {}, {.env = Strings{"no_value"}}),
                 std::invalid_argument);
    EXPECT_THROW(co_await create_subprocess_exec("true", {}, {.stdin_ = STDOUT}),
                 std::invalid_argument);
    EXPECT_THROW(co_await create_subprocess_exec("true", {}, {.stdout_ = STDOUT}),
                 std::invalid_argument);
  });
}

TEST(Subprocess, connects_its_descriptors_as_it_is_told) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const std::string both = "echo out; echo err >&2";
    auto process = co_await create_subprocess_shell(both, {.stdout_ = PIPE, .stderr_ = STDOUT});
    EXPECT_EQ((co_await process.communicate()).out, "out\nerr\n");
    process = co_await create_subprocess_shell(both, {.stdout_ = DEVNULL, .stderr_ = PIPE});
    auto output = co_await process.communicate();
    EXPECT_EQ(output.out, "");
    EXPECT_EQ(output.err, "err\n");
    process = co_await create_subprocess_exec("cat", {}, {.stdin_ = DEVNULL, .stdout_ = PIPE});
    EXPECT_EQ((co_await process.communicate("dropped: there is no pipe for it")).out, "");
    EXPECT_EQ(process.returncode(), 0);
    // Errors to the pipe, and what is said to go to the output's place then still goes there.
    std::FILE* file = std::tmpfile();
    const coil::Stdio to_file = ::fileno(file);
    process = co_await create_subprocess_shell(both, {.stdout_ = to_file, .stderr_ = STDOUT});
    EXPECT_EQ(co_await process.wait(), 0);
    std::rewind(file);
    char text[20] = "";
    EXPECT_EQ(std::fread(text, 1, sizeof text, file), 8U);
    EXPECT_STREQ(text, "out\nerr\n");
    // The file goes on being ours, and serves as input too.
    std::rewind(file);
    process =
        co_await create_subprocess_exec("cat", {}, {.stdin_ = ::fileno(file), .stdout_ = PIPE});
    EXPECT_EQ((co_await process.communicate()).out, "out\nerr\n");
    std::fclose(file);
  });
}

// Descriptors 1 and 2 change places, so neither may be put in place before the other was copied.
TEST(Subprocess, may_have_its_output_and_errors_exchanged) {
  int outer[2];
  ASSERT_EQ(::pipe2(outer, O_CLOEXEC), 0);
  const int saved[2] = {::fcntl(1, F_DUPFD_CLOEXEC, 3), ::fcntl(2, F_DUPFD_CLOEXEC, 3)};
  std::fflush(stdout);
  std::FILE* out = std::tmpfile();
  std::FILE* err = std::tmpfile();
  ::dup2(::fileno(out), 1);
  ::dup2(::fileno(err), 2);
  coil::run([]() -> Coro<> {
    const auto process =
        co_await create_subprocess_shell("echo out; echo err >&2", {.stdout_ = 2, .stderr_ = 1});
    EXPECT_EQ(co_await process.wait(), 0);
  });
  ::dup2(saved[0], 1);
  ::dup2(saved[1], 2);
  for (const int fd : {saved[0], saved[1], outer[0], outer[1]}) ::close(fd);
  const auto text_of = [](std::FILE* file) {
    std::rewind(file);
    std::string text(100, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text;
  };
  EXPECT_EQ(text_of(out), "err\n");
  EXPECT_EQ(text_of(err), "out\n");
}

// Also of those that the program itself has left open to its children.
TEST(Subprocess, has_three_descriptors_and_no_others) {
  std::vector<int> left_open;
  for (int i = 0; i < 20; ++i) left_open.push_back(::open("/dev/null", O_RDONLY));
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto other =
        co_await create_subprocess_exec("cat", {}, {.stdin_ = PIPE, .stdout_ = PIPE});
    const std::string command =
        "for n in $(seq 0 300); do [ -e /proc/self/fd/$n ] && echo $n; done; true";
    EXPECT_EQ(co_await output_of(command), "0\n1\n2\n");
    EXPECT_EQ(co_await output_of(command, {.stdin_ = PIPE, .stderr_ = PIPE}), "0\n1\n2\n");
    other.kill();
    co_await other.wait();
  });
  for (const int fd : left_open) ::close(fd);
}

TEST(Subprocess, has_pipes_that_it_can_open_by_name) {
  on_loops_leaving_nothing([]() -> Coro<> {
    const auto process = co_await create_subprocess_shell(
        "echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin",
        {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = PIPE});
    const auto output = co_await process.communicate("in");
    EXPECT_EQ(output.out, "out\nin");
    EXPECT_EQ(output.err, "err\n");
  });
}

// "SigIgn:  0000000180001000": but for 32 and 33, which posix_spawn itself lets every child ignore:
// they are the C library's own.
unsigned long long ignored_in(const std::string& status) {
  const auto at = status.find("SigIgn:");
  return std::stoull(status.substr(at + 7), nullptr, 16) & 0x7fffffff;
}

// On whatever loop, and whatever that blocks at the moment.
TEST(Subprocess, starts_with_the_signals_with_which_this_program_began) {
  const std::string blocked = kit::status_line("SigBlk:");
  const auto ignored = ignored_in(kit::status_line("SigIgn:"));
  on_loops_leaving_nothing([&]() -> Coro<> {
    for (coil::Loop* loop : coil::detail::running_loops("test")) {
      auto look = loop->create_task([&]() -> Coro<std::string> {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        auto process = co_await create_subprocess_exec(
            "grep", {"-E", "SigBlk|SigIgn", "/proc/self/status"}, {.stdout_ = PIPE});
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        co_return (co_await process.communicate()).out;
      });
      const std::string status = co_await look;
      EXPECT_EQ(status.substr(0, blocked.size()), blocked);
      EXPECT_EQ(ignored_in(status), ignored);
    }
  });
}

TEST(Subprocess, may_run_on_all_processors_though_the_loop_is_bound_to_one) {
  const std::string allowed = kit::status_line("Cpus_allowed_list:");
  on_loops_leaving_nothing([&]() -> Coro<> {
    for (coil::Loop* loop : coil::detail::running_loops("test")) {
      auto look = loop->create_task([&]() -> Coro<std::string> {
        cpu_set_t before, after;
        EXPECT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
        auto process = co_await create_subprocess_exec(
            "grep", {"Cpus_allowed_list", "/proc/self/status"}, {.stdout_ = PIPE});
        EXPECT_EQ(::sched_getaffinity(0, sizeof after, &after), 0);
        EXPECT_TRUE(CPU_EQUAL(&before, &after)) << "the loop itself stays where it is";
        co_return (co_await process.communicate()).out;
      });
      EXPECT_EQ(co_await look, allowed);
    }
  });
}

TEST(Subprocess, needs_a_loop_and_a_real_one) {
  int error = 0;
  coil::run(
      [&]() -> Coro<> { error = (co_await failure_of(create_subprocess_exec("true"))).error; },
      coil::RunOptions{.backend = coil::Backend::sim});
  EXPECT_EQ(error, ENOTSUP);
}

TEST(Subprocess, is_not_started_by_a_task_that_is_cancelled_before) {
  const kit::TemporaryDirectory directory;
  on_loops_leaving_nothing([&]() -> Coro<> {
    const std::string file = directory / "not_started";
    auto task = coil::create_task(create_subprocess_exec("touch", {file}));
    task.cancel();
    co_await kit::thrown_by<coil::CancelledError>(task);
    EXPECT_FALSE(std::filesystem::exists(file));
  });
}

}  // namespace
