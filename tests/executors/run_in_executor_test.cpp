// run_in_executor: every form of it, on every kind of executor.
#include <coil/run_in_executor.hpp>

#include <gtest/gtest.h>

#include <coil/coil.hpp>
#include <functional>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "executor_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using kit::Holding;
using kit::on_loops;

namespace {

struct Account {
  int balance = 0;
  int add(int amount) { return balance += amount; }
};
int doubled(int n) { return 2 * n; }
int seven() { return 7; }

// An executor that does not derive from Executor.
struct Foreign {
  template <class Fn, class... Args>
  auto submit(Fn fn, Args... args) {
    auto future = create_future<std::invoke_result_t<Fn&, Args...>>();
    future.set_result(fn(std::move(args)...));
    return future;
  }
  void shutdown() {}
};

TEST(run_in_executor, gives_a_future_of_what_the_function_returns) {
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 2}};
    Loop& loop = get_running_loop();
    EXPECT_EQ(co_await loop.run_in_executor(&pool, doubled, 2), 4);
    EXPECT_EQ(co_await loop.run_in_executor(nullptr, doubled, 3), 6);
    EXPECT_EQ(co_await loop.run_in_executor(doubled, 4), 8);
    EXPECT_EQ(co_await loop.run_in_executor(seven), 7);
    EXPECT_EQ(co_await loop.run_in_executor<&doubled>(&pool, 5), 10);
    EXPECT_EQ(co_await loop.run_in_executor<&doubled>(nullptr, 6), 12);
    EXPECT_EQ(co_await run_in_executor(&pool, seven), 7);
    EXPECT_EQ(co_await run_in_executor(nullptr, seven), 7);
    EXPECT_EQ(co_await run_in_executor([](int a, int b) { return a - b; }, 9, 2), 7);
    EXPECT_EQ(co_await run_in_executor<&seven>(&pool), 7);
    EXPECT_EQ(co_await run_in_executor<&doubled>(nullptr, 1), 2);
    ThreadPoolExecutor* none = nullptr;
    EXPECT_EQ(co_await loop.run_in_executor(none, doubled, 7), 14);
    EXPECT_EQ(co_await loop.run_in_executor<&doubled>(static_cast<Executor*>(nullptr), 8), 16);
    static_assert(std::is_same_v<decltype(loop.run_in_executor([] {})), Future<void>>);
    static_assert(std::is_same_v<decltype(loop.run_in_executor(&pool, seven)), Future<int>>);
    co_await pool.shutdown();
  });
}

TEST(run_in_executor, takes_what_can_be_called_and_what_can_be_moved) {
  on_loops([]() -> Coro<> {
    Account account;
    EXPECT_EQ(co_await run_in_executor(&Account::add, &account, 5), 5);
    EXPECT_EQ(co_await run_in_executor(nullptr, &Account::add, std::ref(account), 1), 6);
    EXPECT_EQ(co_await run_in_executor<&Account::add>(nullptr, &account, 1), 7);
    EXPECT_EQ(*co_await run_in_executor([](std::unique_ptr<int> n) { return n; },
                                        std::make_unique<int>(3)),
              3);
    EXPECT_EQ(co_await run_in_executor([owned = std::make_unique<int>(4)] { return *owned; }), 4);
    const std::string text(100, 'x');
    auto late = run_in_executor([](std::string_view view) { return std::string(view); },
                                std::string_view(std::string(text)));
    EXPECT_EQ(co_await late, text);
    int& same = co_await run_in_executor([&account]() -> int& { return account.balance; });
    EXPECT_EQ(&same, &account.balance);
  });
}

TEST(run_in_executor, takes_executors_that_derive_from_nothing) {
  on_loops([]() -> Coro<> {
    Foreign foreign;
    EXPECT_EQ(co_await run_in_executor(&foreign, doubled, 2), 4);
    EXPECT_EQ(co_await get_running_loop().run_in_executor<&doubled>(&foreign, 3), 6);
    Foreign* none = nullptr;
    EXPECT_THROW(run_in_executor(none, doubled, 1), std::invalid_argument);
  });
}

TEST(run_in_executor, submits_at_once_and_not_when_it_is_awaited) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    std::atomic<bool> ran = false;
    auto future = run_in_executor([&ran] { ran = true; });
    while (!ran) std::this_thread::yield();  // the loop is held
    co_await future;
  });
}

TEST(run_in_executor, waits_where_the_queue_is_full) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    ThreadPoolExecutor pool{{.max_workers = 1, .max_queue = 1}};
    Holding holding(pool, 1);
    co_await holding.held();
    std::vector<Future<int>> calls;
    for (int i = 0; i < 20; ++i) calls.push_back(run_in_executor(&pool, doubled, i));
    co_await kit::yield(3);
    holding.let_go();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(co_await calls[static_cast<std::size_t>(i)], 2 * i);
    co_await pool.shutdown();
  });
}

TEST(run_in_executor, leaves_the_context_behind) {
  KIT_USES_THREADS();
  static ContextVar<int> number{"number", -1};
  on_loops([]() -> Coro<> {
    number.set(5);
    EXPECT_EQ(co_await run_in_executor([] { return number.get(); }), -1);
  });
}

TEST(run_in_executor, needs_a_running_loop) {
  ThreadPoolExecutor pool{{.max_workers = 1}};
  EXPECT_THROW(run_in_executor(seven), NoRunningLoop);
  EXPECT_THROW(run_in_executor(&pool, seven), NoRunningLoop);
  EXPECT_THROW(run_in_executor<&seven>(&pool), NoRunningLoop);
  Foreign foreign;
  EXPECT_THROW(run_in_executor(&foreign, seven), NoRunningLoop);
  const auto loop = new_event_loop();
  EXPECT_THROW(loop->run_in_executor(seven), NoRunningLoop);
  EXPECT_EQ(loop->run_until_complete([&]() -> Coro<int> {
    co_return co_await loop->run_in_executor(&pool, doubled, 21);
  }),
            42);
}

// What a callback begins while the Runner closes would not be waited for.
TEST(run_in_executor, is_refused_when_nobody_would_wait_for_it) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  std::atomic<int> refused = 0;
  struct Again {
    static void call(Loop& loop, std::atomic<int>& b, std::atomic<int>& e, std::atomic<int>& r) {
      try {
        (void)run_in_executor([&e] { ++e; });
        ++b;
        loop.call_soon([&] { call(loop, b, e, r); });
      } catch (const LoopClosed&) {
        ++r;
      }
    }
  };
  for (int round = 0; round < 20; ++round) {
    for (const int loops : {1, 2}) {
      run(
          [&]() -> Coro<> {
            Loop& loop = get_running_loop();
            loop.call_soon([&] { Again::call(loop, begun, ended, refused); });
            co_await kit::yield(3);
          },
          {.loops = loops});
      EXPECT_EQ(begun, ended);
    }
  }
  EXPECT_EQ(refused, 40);
}

}  // namespace
