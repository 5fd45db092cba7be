// Worker processes begin before main(), with the program's objects ready and nothing else of its
// parent's. This program's main() is GoogleTest's, which knows nothing of workers.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <coil/future.hpp>
#include <coil/process_pool_executor.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <kit/environment.hpp>
#include <kit/loops.hpp>
#include <kit/watchdog.hpp>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "process_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using namespace process_kit;

namespace process_globals {
std::string text_of_another_file();  // process_globals_test.cpp
}

namespace {

std::string text_now() { return "made by " + std::to_string(::getpid()); }
const std::string global_text = text_now();
const std::map<int, std::string> global_map{{1, "one"}, {2, text_now()}};
const auto global_owner = std::make_unique<std::string>("owned");
int initialized_with = 0;
std::string initialized_text;
void initialize() { initialized_with = 42; }
void initialize_with(int number, const std::string& text) {
  initialized_with = number;
  initialized_text = text;
}

std::vector<std::string> globals() {
  return {global_text, global_map.at(2), *global_owner, process_globals::text_of_another_file()};
}
std::string initialized() { return std::to_string(initialized_with) + initialized_text; }
pid_t own_pid() { return ::getpid(); }
std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? value : "(none)";
}
// What is open beside the standard streams, the socket, and the directory that is read for that.
std::vector<std::string> descriptors() {
  std::vector<std::string> found;
  const std::string directory = "/proc/" + std::to_string(::getpid()) + "/fd";
  for (const auto& name : names_in("/proc/self/fd")) {
    char target[256] = {};
    if (::readlink(("/proc/self/fd/" + name).c_str(), target, sizeof target - 1) < 0) continue;
    const int fd = std::atoi(name.c_str());
    const std::string what = target;
    if (fd <= 2 || (fd == 3 && what.starts_with("socket:")) || what == directory) continue;
    found.push_back(name + " " + what);
  }
  return found;
}
std::string blocked_signals() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("SigBlk:")) return line.substr(line.find_first_not_of("SigBlk:\t "));
  return "?";
}
void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

TEST(process_hook, has_the_programs_objects_ready) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1}};
  const std::string made = "made by " + std::to_string(pool.submit<&own_pid>().get());
  EXPECT_EQ(pool.submit<&globals>().get(), (std::vector<std::string>{made, made, "owned", made}));
}

TEST(process_hook, runs_the_initializer_first) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  {
    ProcessPoolExecutor pool{{.max_workers = 1, .initializer = &initialize}};
    EXPECT_EQ(pool.submit<&initialized>().get(), "42");
  }
  const std::string large(200'000, 'x');
  ProcessPoolExecutor pool{
      {.max_workers = 1, .initializer = process_initializer<&initialize_with>(7, large)}};
  EXPECT_EQ(pool.submit<&initialized>().get(), "7" + large);
  const ProcessInitializer none;
  EXPECT_EQ(initialized_with, 0) << "it ran in this process";
}

TEST(process_hook, gives_the_environment_and_no_signal_mask) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  const kit::EnvironmentVariable set("COIL_TEST_OF_WORKERS", "value");
  sigset_t some, before;
  sigemptyset(&some);
  sigaddset(&some, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &some, &before);
  {
    ProcessPoolExecutor pool{{.max_workers = 1}};
    EXPECT_EQ(pool.submit<&variable>("COIL_TEST_OF_WORKERS").get(), "value");
    EXPECT_EQ(pool.submit<&variable>("COIL_WORKER").get(), "(none)");
    EXPECT_EQ(pool.submit<&blocked_signals>().get(), "0000000000000000");
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(process_hook, prints_what_a_call_has_printed) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  testing::internal::CaptureStdout();
  {
    ProcessPoolExecutor pool{{.max_workers = 1}};
    pool.submit<&print>("no newline").get();
    pool.kill_workers();
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "no newline");
}

TEST(process_hook, takes_no_notice_of_ctrl_c) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1}};
  const pid_t worker = pool.submit<&own_pid>().get();
  ::kill(worker, SIGINT);
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(pool.submit<&own_pid>().get(), worker);
}

// Threads that open files without O_CLOEXEC, and allocate, while workers are started.
TEST(process_hook, inherits_nothing_and_hangs_nowhere_while_threads_are_busy) {
  PROCESSES_NEEDED();
  const int spawns = stress(1000);
  const kit::Watchdog watchdog(std::chrono::seconds(60 + spawns / 10));
  std::atomic<bool> end{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&end, t] {
      while (!end) {
        const int file = ::open("/proc/self/maps", O_RDONLY);
        int pair[2];
        const int made = ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        std::vector<std::string> texts;
        for (int i = 0; i < 50; ++i)
          texts.emplace_back(static_cast<std::size_t>(100 * (t + i)), 'x');
        char buffer[512];
        (void)!::read(file, buffer, sizeof buffer);
        std::this_thread::sleep_for(200us);
        ::close(file);
        if (made == 0) {
          ::close(pair[0]);
          ::close(pair[1]);
        }
      }
    });
  {
    ProcessPoolExecutor pool{{.max_workers = 4, .max_tasks_per_child = 1}};
    std::vector<Future<std::vector<std::string>>> calls;
    for (int i = 0; i < spawns; ++i) calls.push_back(pool.submit<&descriptors>());
    for (auto& call : calls) {
      for (const auto& open : call.get()) ADD_FAILURE() << "a worker has " << open;
    }
  }
  end = true;
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(children().empty());
}

// In a worker, which then has a worker of its own.
void spin() {
  for (volatile long i = 0;; i = i + 1) {
  }
}
pid_t start_a_worker_that_spins() {
  static auto* pool = new ProcessPoolExecutor({.max_workers = 1});
  const pid_t worker = pool->submit<&own_pid>().get();
  static const auto never = pool->submit<&spin>();
  return worker;
}

TEST(process_hook, ends_a_worker_when_its_parent_is_killed) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1}};
  const pid_t parent = pool.submit<&own_pid>().get();
  const pid_t worker = pool.submit<&start_a_worker_that_spins>().get();
  std::this_thread::sleep_for(20ms);
  EXPECT_TRUE(is_there(worker));
  ::kill(parent, SIGKILL);
  EXPECT_TRUE(soon([worker] { return !is_there(worker); }, 1s));
}

}  // namespace
