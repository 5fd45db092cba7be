// ProcessPoolExecutor: what goes to a worker and what comes back.
#include <coil/process_pool_executor.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <coil/coil.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <kit/watchdog.hpp>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "process_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using namespace process_kit;

namespace {

int add(int a, int b) { return a + b; }
void nothing() {}
pid_t own_pid() { return ::getpid(); }
std::string joined(std::string_view a, const std::string& b) { return std::string(a) + b; }
struct Unusual : std::out_of_range {
  using std::out_of_range::out_of_range;
};
[[noreturn]] void throw_unusual(const std::string& text) { throw Unusual(text); }
[[noreturn]] void throw_number() { throw 42; }
void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }
int times_ten(int i) { return i * 10; }
int failing_at_three(int i) {
  if (i == 3) throw std::runtime_error("three");
  return i;
}
struct Account {
  int balance = 0;
  int with(int more) const { return balance + more; }
};

TEST(process_pool, calls_a_function_in_another_process) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 2}};
  EXPECT_EQ(pool.submit<&add>(3, 4).get(), 7);
  pool.submit<&nothing>().get();
  EXPECT_NE(pool.submit<&own_pid>().get(), ::getpid());
  EXPECT_EQ(pool.submit<[](int i) { return i + 1; }>(1).get(), 2);
  EXPECT_EQ(pool.submit<+[](int i) { return i + 2; }>(1).get(), 3);
  EXPECT_EQ(pool.submit<&Account::with>(Account{5}, 6).get(), 11);
}

TEST(process_pool, converts_arguments_to_the_parameters) {
  const kit::Watchdog watchdog;
  PROCESSES_NEEDED();
  ProcessPoolExecutor pool{{.max_workers = 1}};
  EXPECT_EQ(pool.submit<&joined>(std::string_view("text "), "more").get(), "text more");
  EXPECT_EQ(pool.submit<&add>('\1', 2L).get(), 3);
}

TEST(process_pool, gives_an_exception_with_its_type_its_text_and_the_workers_pid) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1}};
  const pid_t worker = pool.submit<&own_pid>().get();
  try {
    pool.submit<&throw_unusual>("not there").get();
    FAIL() << "did not throw";
  } catch (const RemoteError& error) {
    EXPECT_STREQ(error.what(), "not there");
    EXPECT_EQ(error.type_name(), "(anonymous namespace)::Unusual");
    EXPECT_EQ(error.worker_pid(), worker);
  }
  try {
    pool.submit<&throw_number>().get();
    FAIL() << "did not throw";
  } catch (const RemoteError& error) {
    EXPECT_EQ(error.type_name(), "int");
  }
  EXPECT_EQ(pool.submit<&own_pid>().get(), worker) << "an exception is no reason to end";
}

TEST(process_pool, is_awaited_on_a_loop) {
  kit::on_loops([]() -> Coro<> {
    ProcessPoolExecutor pool{{.max_workers = 2}};
    EXPECT_EQ(co_await pool.submit<&add>(1, 2), 3);
    std::vector<Future<int>> many;
    for (int i = 0; i < 100; ++i) many.push_back(pool.submit<&add>(i, i));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(co_await many[static_cast<std::size_t>(i)], 2 * i);
    co_await pool.shutdown();
  });
}

TEST(process_pool, maps_in_the_order_of_the_elements) {
  kit::on_loops([]() -> Coro<> {
    ProcessPoolExecutor pool{{.max_workers = 2}};
    const std::vector<int> elements{5, 1, 4, 2, 3};
    std::vector<int> results;
    auto each = pool.map<&times_ten>(elements, {.chunksize = 2});
    while (auto result = co_await each.next()) results.push_back(*result);
    EXPECT_EQ(results, (std::vector<int>{50, 10, 40, 20, 30}));
    auto failing = pool.map<&failing_at_three>(std::vector<int>{1, 3, 2});
    EXPECT_EQ(co_await failing.next(), 1);
    bool threw = false;
    try {
      (void)co_await failing.next();
    } catch (const std::runtime_error& error) {
      threw = std::string_view(error.what()) == "three";
    }
    EXPECT_TRUE(threw);
    co_await pool.shutdown();
  });
}

TEST(process_pool, keeps_its_workers_and_starts_no_more_than_it_may) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolOptions options;
  options.max_workers = 3;
  ProcessPoolExecutor pool(std::move(options));
  std::set<pid_t> seen;
  std::vector<Future<pid_t>> calls;
  for (int i = 0; i < 200; ++i) calls.push_back(pool.submit<&own_pid>());
  for (auto& call : calls) seen.insert(call.get());
  EXPECT_GE(seen.size(), 1U);
  EXPECT_LE(seen.size(), 3U);
}

TEST(process_pool, runs_calls_at_the_same_time) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 4}};
  std::vector<Future<void>> calls;
  for (int i = 0; i < 4; ++i) calls.push_back(pool.submit<&sleep_ms>(1));  // starts them
  for (auto& call : calls) call.get();
  ASSERT_TRUE(soon([] { return children().size() == 4; }));
  const auto begin = std::chrono::steady_clock::now();
  calls.clear();
  for (int i = 0; i < 8; ++i) calls.push_back(pool.submit<&sleep_ms>(100));
  for (auto& call : calls) call.get();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 500ms);
}

TEST(process_pool, gives_short_calls_no_worker_that_is_busy_for_long) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 2}};
  for (int i = 0; i < 50; ++i) pool.submit<&nothing>();
  const auto slow = pool.submit<&sleep_ms>(1000);
  std::vector<Future<int>> quick;
  for (int i = 0; i < 50; ++i) quick.push_back(pool.submit<&add>(i, 1));
  for (auto& call : quick) (void)call.get();
  EXPECT_FALSE(slow.done()) << "a short call waited behind a long one";
  slow.get();
}

TEST(process_pool, replaces_a_worker_after_so_many_calls) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1, .max_tasks_per_child = 3}};
  std::vector<Future<pid_t>> calls;
  for (int i = 0; i < 9; ++i) calls.push_back(pool.submit<&own_pid>());
  std::map<pid_t, int> times;
  for (auto& call : calls) ++times[call.get()];
  EXPECT_EQ(times.size(), 3U);
  for (const auto& [pid, count] : times) EXPECT_EQ(count, 3) << pid;
}

TEST(process_pool, makes_no_call_that_was_cancelled_before_it_began) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1}};
  const auto busy = pool.submit<&sleep_ms>(100);
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(pool.submit<&add>(1, 1));
  for (auto& call : waiting) EXPECT_TRUE(call.cancel());
  EXPECT_TRUE(busy.cancel());
  EXPECT_TRUE(busy.cancelled());
  EXPECT_EQ(pool.submit<&add>(1, 2).get(), 3);
}

TEST(process_pool, takes_nothing_after_shutdown_and_ends_what_it_has) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 2}};
  std::vector<Future<int>> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(pool.submit<&add>(i, i));
  const auto closed = pool.shutdown();
  EXPECT_THROW(pool.submit<&add>(1, 1), std::runtime_error);
  closed.get();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(calls[static_cast<std::size_t>(i)].result(), 2 * i);
  EXPECT_TRUE(children().empty());
  pool.shutdown().get();
}

TEST(process_pool, cancels_what_waits_at_shutdown_if_told_to) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1}};
  pool.submit<&nothing>().get();
  const auto running = pool.submit<&sleep_ms>(50);
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(pool.submit<&add>(i, i));
  pool.shutdown({.cancel_futures = true}).get();
  EXPECT_NO_THROW(running.result());
  for (auto& call : waiting) EXPECT_TRUE(call.cancelled());
}

TEST(process_pool, that_is_never_used_starts_nothing) {
  const auto before = open_descriptors();
  {
    ProcessPoolExecutor pool{{.max_workers = 2}};
    EXPECT_TRUE(children().empty());
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_THROW(ProcessPoolExecutor({.max_workers = -1}), std::invalid_argument);
}

TEST(process_pool, refuses_a_function_that_is_not_constant_through_the_base) {
  PROCESSES_NEEDED();
  ProcessPoolExecutor pool{{.max_workers = 1}};
  Executor& base = pool;
  EXPECT_THROW(base.submit([] { return 1; }), std::invalid_argument);
  EXPECT_EQ(base.submit<&add>(1, 2).get(), 3);
  static_assert(ProcessPoolExecutor::constant_functions_only);
  static_assert(ExecutorLike<ProcessPoolExecutor>);
}

TEST(process_pool, is_used_by_many_threads_at_once) {
  PROCESSES_NEEDED();
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 3}};
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&pool, &wrong, t] {
      std::vector<Future<int>> calls;
      for (int i = 0; i < 300; ++i) {
        calls.push_back(pool.submit<&add>(t, i));
        if (i % 7 == 0) (void)calls[static_cast<std::size_t>(i / 2)].cancel();
      }
      for (int i = 0; i < 300; ++i) {
        const auto& call = calls[static_cast<std::size_t>(i)];
        (void)call.wait_for(std::nullopt);
        if (!call.cancelled() && call.result() != t + i) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
