// A server that runs out of descriptors: in a process of its own, with RLIMIT_NOFILE = 64.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <coil/coil.hpp>
#include <coil/detail/blocking_pool.hpp>
#include <coil/net.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "net_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;

constexpr const char* child_marker = "COIL_TEST_LIMITED_SERVER";

// The server, which tells its port and serves until its standard input ends. Prints how often it
// was short of descriptors.
Coro<> serve_limited() {
  static std::atomic<int> reports = 0;
  coil::get_running_loop().set_exception_handler([](const coil::ExceptionContext& context) {
    if (context.message.find("accept failed") != std::string::npos) ++reports;
  });
  auto handler = [](coil::StreamReader reader, coil::StreamWriter writer) -> Coro<> {
    writer.write(co_await reader.readline());
    co_await writer.drain();
    writer.close();
    co_await writer.wait_closed();
  };
  auto server = co_await coil::start_server(handler, "127.0.0.1", 0);
  std::printf("%d\n", server.port());
  std::fflush(stdout);
  co_await coil::detail::call_lookup([] {
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
  });
  server.close();
  co_await server.wait_closed();
  std::printf("%d\n", reports.load());
}

// To check a virtual call, UndefinedBehaviorSanitizer opens a pipe; without a descriptor it reports
// an object without a type instead.
#if __has_feature(undefined_behavior_sanitizer)
constexpr bool needs_descriptors_itself = true;
#else
constexpr bool needs_descriptors_itself = false;
#endif

// Not a test by itself: what the test below starts.
TEST(DescriptorLimit, DISABLED_the_limited_server) {
  if (std::getenv(child_marker) == nullptr) GTEST_SKIP();
  const rlimit limit{64, 64};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  const kit::Watchdog watchdog;
  coil::RunOptions options;
  options.loops = std::atoi(std::getenv(child_marker));
  coil::run(serve_limited(), options);
}

class LimitedServer {
 public:
  explicit LimitedServer(int loops) {
    int in[2], out[2];
    EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
    ::setenv(child_marker, std::to_string(loops).c_str(), 1);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    const char* arguments[] = {"limited-server", "--gtest_also_run_disabled_tests",
                               "--gtest_brief=1", "--gtest_filter=*the_limited_server", nullptr};
    EXPECT_EQ(::posix_spawn(&child_, "/proc/self/exe", &actions, nullptr,
                            const_cast<char**>(arguments), environ),
              0);
    posix_spawn_file_actions_destroy(&actions);
    ::unsetenv(child_marker);
    ::close(in[0]);
    ::close(out[1]);
    stop_ = in[1];
    answers_ = ::fdopen(out[0], "r");
  }
  // The next number in what it prints.
  int number() {
    char line[200];
    while (std::fgets(line, sizeof line, answers_) != nullptr)
      if (line[0] >= '0' && line[0] <= '9') return std::atoi(line);
    return -1;
  }
  void stop() { ::close(stop_); }
  int exit_status() {
    int status = -1;
    EXPECT_EQ(::waitpid(child_, &status, 0), child_);
    std::fclose(answers_);
    return status;
  }

 private:
  pid_t child_ = -1;
  int stop_ = -1;
  std::FILE* answers_ = nullptr;
};

TEST(DescriptorLimit, a_server_with_64_descriptors_serves_200_clients_at_once) {
  if (needs_descriptors_itself) GTEST_SKIP() << "UndefinedBehaviorSanitizer needs descriptors";
  for (const int loops : {1, 2}) {
    LimitedServer child(loops);
    const int port = child.number();
    ASSERT_GT(port, 0);
    const kit::Watchdog watchdog;
    coil::run(
        [&]() -> Coro<> {
          coil::Promise<> all_connected;
          int connected = 0;
          std::vector<coil::Task<>> clients;
          for (int i = 0; i < 200; ++i)
            clients.push_back(coil::create_task([&, i]() -> Coro<> {
              auto [reader, writer] =
                  co_await coil::open_connection("127.0.0.1", static_cast<std::uint16_t>(port));
              if (++connected == 200) all_connected.set_result();
              co_await all_connected.get_future();
              co_await coil::sleep(200ms);  // it has time to run out
              const std::string line = std::to_string(i) + "\n";
              writer.write(line);
              EXPECT_EQ(co_await reader.readline(), line);
            }));
          for (auto& client : clients) co_await client;
        }(),
        {.loops = 1});
    child.stop();
    EXPECT_EQ(child.number(), 1) << "the shortage is reported once";
    EXPECT_EQ(child.exit_status(), 0);
  }
}

TEST(DescriptorLimit, a_plain_accept_throws_and_works_again_later) {
  if (needs_descriptors_itself) GTEST_SKIP() << "UndefinedBehaviorSanitizer needs descriptors";
  kit::on_one_loop([]() -> Coro<> {
    const auto listener = coil::Socket::tcp();
    listener.bind(coil::Address("127.0.0.1", 0));
    listener.listen();
    const auto client = coil::Socket::tcp();
    co_await client.connect(listener.local_address());
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
    const int error = co_await kit::error_of(listener.accept());
    const int no_socket = co_await kit::error_of([&]() -> Coro<> {
      (void)coil::Socket::tcp();
      co_return;
    }());
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(error, EMFILE);
    EXPECT_EQ(no_socket, EMFILE);
    auto socket = co_await listener.accept();
    EXPECT_TRUE(socket);
  });
}

}  // namespace
