// ProcessPoolExecutor: workers that die, that are killed, and a parent that dies.
#include <coil/process_pool_executor.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <coil/future.hpp>
#include <coil/sleep.hpp>
#include <cstdlib>
#include <kit/loops.hpp>
#include <kit/watchdog.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "process_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using namespace process_kit;

namespace {

using SteadyClock = std::chrono::steady_clock;

pid_t own_pid() { return ::getpid(); }
int add(int a, int b) { return a + b; }
void end_with(int code) { std::exit(code); }
void end_by(int signal) {
  ::raise(signal);
  std::this_thread::sleep_for(1h);
}
void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }
void close_socket() { ::close(3); }
[[noreturn]] void throw_text(const std::string& text) { throw std::runtime_error(text); }
void fail_to_begin() { throw_text("no licence"); }
void exit_at_begin() { ::_exit(7); }

// Counts in memory that outlives the worker: a file that all of them map.
class Tally {
 public:
  explicit Tally(int calls) {
    char name[] = "/tmp/coil-tally-XXXXXX";
    fd_ = ::mkstemp(name);
    path_ = name;
    EXPECT_EQ(::ftruncate(fd_, calls), 0);
  }
  ~Tally() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int at(int call) const {
    unsigned char times = 0;
    EXPECT_EQ(::pread(fd_, &times, 1, call), 1);
    return times;
  }

 private:
  int fd_ = -1;
  std::string path_;
};
// In a worker: once more; then works for a moment.
int count_at(const std::string& path, int call, int us) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  void* mapped = ::mmap(nullptr, static_cast<std::size_t>(call) + 1, PROT_READ | PROT_WRITE,
                        MAP_SHARED, fd, 0);
  ::close(fd);
  auto* times = static_cast<unsigned char*>(mapped) + call;
  __atomic_fetch_add(times, 1, __ATOMIC_SEQ_CST);
  ::munmap(mapped, static_cast<std::size_t>(call) + 1);
  const auto until = SteadyClock::now() + std::chrono::microseconds(us);
  while (SteadyClock::now() < until) {
  }
  return call;
}

TEST(process_death, fails_its_call_and_says_how_it_died) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1}};
  const auto exited = broken_text(pool.submit<&end_with>(3));
  EXPECT_NE(exited.find("exit code 3"), std::string::npos) << exited;
  const auto killed = broken_text(pool.submit<&end_by>(SIGKILL));
  EXPECT_NE(killed.find("killed by SIGKILL (signal 9)"), std::string::npos) << killed;
  const auto signalled = broken_text(pool.submit<&end_by>(SIGUSR2));
  EXPECT_NE(signalled.find("SIGUSR2"), std::string::npos) << signalled;
  const auto closed = broken_text(pool.submit<&close_socket>());
  EXPECT_NE(closed.find("worker"), std::string::npos) << closed;
  EXPECT_EQ(pool.submit<&add>(1, 2).get(), 3) << "the pool goes on";
}

TEST(process_death, fails_no_other_call) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 2}};
  for (int round = 0; round < 5; ++round) {
    std::vector<Future<int>> before;
    for (int i = 0; i < 20; ++i) before.push_back(pool.submit<&add>(i, round));
    const auto doomed = pool.submit<&end_by>(SIGKILL);
    std::vector<Future<int>> after;
    for (int i = 0; i < 20; ++i) after.push_back(pool.submit<&add>(i, round));
    EXPECT_FALSE(broken_text(doomed).empty());
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(before[static_cast<std::size_t>(i)].get(), i + round);
      EXPECT_EQ(after[static_cast<std::size_t>(i)].get(), i + round);
    }
  }
}

TEST(process_death, of_an_idle_worker_is_seen_and_made_good) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1}};
  const pid_t first = pool.submit<&own_pid>().get();
  ::kill(first, SIGKILL);
  ASSERT_TRUE(soon([first] { return state_of(first) == 0 && children().size() == 1; }));
  EXPECT_NE(pool.submit<&own_pid>().get(), first);
}

SteadyClock::duration time_of_a_start() {
  ProcessPoolExecutor pool{{.max_workers = 1}};
  const auto begin = SteadyClock::now();
  (void)pool.submit<&own_pid>().get();
  return SteadyClock::now() - begin;
}

// At random moments of a worker's life, from its start on.
TEST(process_death, by_a_thousand_kills_ends_each_call_once_and_leaks_nothing) {
  PROCESSES_NEEDED();
  // A sanitizer makes a worker's start slow: then it would be killed again and again before that.
  const auto start = time_of_a_start();
  const int kills_max = start < 20ms ? stress(1000) : stress(100);
  const kit::Watchdog watchdog(std::chrono::seconds(60 + kills_max / 4));
  constexpr std::size_t workers = 4;
  const int calls_max = 400 * kills_max;
  const Tally tally(calls_max);
  const auto descriptors = open_descriptors();
  int given = 0;
  int broken = 0;
  auto latest = SteadyClock::duration::zero();
  {
    ProcessPoolExecutor pool{{.max_workers = workers}};
    pool.submit<&own_pid>().get();
    std::atomic<int> kills{0};
    std::atomic<bool> end{false};
    std::thread killer([&] {
      std::mt19937 random(42);
      while (kills < kills_max) {
        const auto all = children();
        if (!all.empty() && ::kill(all[random() % all.size()], SIGKILL) == 0) ++kills;
        std::this_thread::sleep_for(2 * start * (random() % 1000) / 1000);
      }
      end = true;
    });
    for (int next = 0; next < calls_max && !end;) {
      std::vector<Future<int>> calls;
      for (int i = 0; i < 16 && next < calls_max; ++i, ++next)
        calls.push_back(pool.submit<&count_at>(tally.path(), next, next % 7 * 100));
      const auto begin = SteadyClock::now();
      for (std::size_t i = 0; i < calls.size(); ++i) {
        const int call = next - static_cast<int>(calls.size() - i);
        ASSERT_TRUE(calls[i].wait_for(20s)) << "call " << call;
        const bool failed = calls[i].exception() != nullptr;
        ++(failed ? broken : given);
        if (failed) (void)broken_text(calls[i]);
        ASSERT_LE(tally.at(call), 1) << "call " << call << " was made twice";
        if (!failed) ASSERT_EQ(tally.at(call), 1);
      }
      latest = std::max(latest, SteadyClock::now() - begin);
    }
    killer.join();
    EXPECT_TRUE(soon([] {
      const auto all = children();
      return all.size() == workers &&
             std::none_of(all.begin(), all.end(), [](pid_t pid) { return state_of(pid) == 'Z'; });
    })) << children().size()
        << " workers";
    for (int i = 0; i < 8; ++i) EXPECT_EQ(pool.submit<&add>(i, i).get(), 2 * i);
  }
  EXPECT_TRUE(children().empty());
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_LT(latest, kit::scaled(1s));
  EXPECT_GT(given, 0);
  RecordProperty("given", given);
  RecordProperty("broken", broken);
}

TEST(process_death, is_made_good_within_20_ms) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1}};
  pid_t worker = pool.submit<&own_pid>().get();
  auto best = SteadyClock::duration::max();
  for (int i = 0; i < 10; ++i) {
    const auto begin = SteadyClock::now();
    ::kill(worker, SIGKILL);
    pid_t next = worker;
    while (next == worker) {
      auto call = pool.submit<&own_pid>();
      (void)call.wait_for(std::nullopt);
      if (!call.exception()) next = call.result();
    }
    best = std::min(best, SteadyClock::now() - begin);
    worker = next;
  }
  EXPECT_LT(best, kit::scaled(20ms));
}

TEST(process_death, before_a_worker_can_be_called_breaks_the_pool_after_a_few) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 2, .initializer = &exit_at_begin}};
  const auto text = broken_text(pool.submit<&add>(1, 1));
  EXPECT_NE(text.find("exit code 7"), std::string::npos) << text;
  EXPECT_THROW(pool.submit<&add>(1, 1), BrokenProcessPool);
  EXPECT_TRUE(soon([] { return children().empty(); }));
}

TEST(process_death, initializer_that_throws_breaks_the_pool_with_its_words) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1, .initializer = &fail_to_begin}};
  const auto text = broken_text(pool.submit<&add>(1, 1));
  EXPECT_NE(text.find("std::runtime_error: no licence"), std::string::npos) << text;
  EXPECT_THROW(pool.submit<&add>(1, 1), BrokenProcessPool);
}

TEST(process_death, by_kill_workers_ends_all_at_once) {
  PROCESSES_NEEDED();
  for (const bool kill : {true, false}) {
    SCOPED_TRACE(kill);
    const kit::Watchdog watchdog;
    ProcessPoolExecutor pool{{.max_workers = 2}};
    pool.submit<&own_pid>().get();
    std::vector<Future<void>> calls;
    for (int i = 0; i < 6; ++i) calls.push_back(pool.submit<&sleep_ms>(3'600'000));
    ASSERT_TRUE(soon([] { return children().size() == 2; }));
    const auto begin = SteadyClock::now();
    if (kill) {
      pool.kill_workers();
    } else {
      pool.terminate_workers();
    }
    for (const auto& call : calls) EXPECT_FALSE(broken_text(call).empty());
    pool.shutdown().get();
    EXPECT_LT(SteadyClock::now() - begin, kit::scaled(1s));
    EXPECT_TRUE(children().empty());
    EXPECT_THROW(pool.submit<&add>(1, 1), std::runtime_error);
  }
}

TEST(process_death, is_awaited_by_a_task) {
  PROCESSES_NEEDED();
  kit::on_loops([]() -> Coro<> {
    ProcessPoolExecutor pool{{.max_workers = 2}};
    bool threw = false;
    try {
      co_await pool.submit<&end_with>(1);
    } catch (const BrokenExecutor& error) {
      threw = true;
    }
    EXPECT_TRUE(threw);
    EXPECT_EQ(co_await pool.submit<&add>(2, 3), 5);
    co_await pool.shutdown();
  });
}

}  // namespace
