// to_thread: what goes in, what comes back, and in which context.
#include <coil/to_thread.hpp>

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <coil/coil.hpp>
#include <functional>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;
using kit::on_loops;

namespace {

struct OwnError : std::runtime_error {
  OwnError(const std::string& text, int n) : std::runtime_error(text), number(n) {}
  int number;
};
struct Account {
  int balance = 0;
  int add(int amount) { return balance += amount; }
};

TEST(to_thread, gives_what_the_function_returns) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await to_thread([] { return 7; }), 7);
    EXPECT_EQ(co_await to_thread([](int a, int b) { return a * b; }, 6, 7), 42);
    bool called = false;
    co_await to_thread([&called] { called = true; });
    EXPECT_TRUE(called);
    static_assert(std::is_same_v<decltype(to_thread([] {})), Coro<>>);
    static_assert(std::is_same_v<decltype(to_thread([] { return 1; })), Coro<int>>);
  });
}

TEST(to_thread, gives_move_only_and_over_aligned_results_and_references) {
  struct alignas(64) Wide {
    int value;
  };
  on_loops([]() -> Coro<> {
    const auto owned = co_await to_thread([] { return std::make_unique<int>(5); });
    EXPECT_EQ(*owned, 5);
    EXPECT_EQ((co_await to_thread([] { return Wide{6}; })).value, 6);
    int target = 1;
    int& same = co_await to_thread([&target]() -> int& { return target; });
    EXPECT_EQ(&same, &target);
    auto moved = std::make_unique<int>(8);
    static_assert(std::is_same_v<decltype(to_thread([&moved]() -> std::unique_ptr<int>&& {
                                   return std::move(moved);
                                 })),
                                 Coro<std::unique_ptr<int>>>);
    EXPECT_EQ(
        *co_await to_thread([&moved]() -> std::unique_ptr<int>&& { return std::move(moved); }), 8);
  });
}

TEST(to_thread, throws_what_the_function_throws_with_its_type) {
  on_loops([]() -> Coro<> {
    try {
      co_await to_thread([]() -> int { throw OwnError("broken", 3); });
      ADD_FAILURE();
    } catch (const OwnError& error) {
      EXPECT_STREQ(error.what(), "broken");
      EXPECT_EQ(error.number, 3);
    }
    try {
      co_await to_thread([] { throw 5; });
      ADD_FAILURE();
    } catch (int number) {
      EXPECT_EQ(number, 5);
    }
    EXPECT_EQ(
        co_await kit::thrown_by<CancelledError>(to_thread([] { throw CancelledError("own"); })),
        "own");
    EXPECT_EQ(current_task().cancelling(), 0);
    co_await kit::yield();
  });
}

TEST(to_thread, keeps_function_and_arguments_until_they_are_used) {
  on_loops([]() -> Coro<> {
    const std::string text(100, 'x');
    auto late = to_thread(
        [](std::string_view view, std::unique_ptr<int> n) { return std::string(view) + char(*n); },
        std::string_view(std::string(text)), std::make_unique<int>('y'));
    EXPECT_EQ(co_await std::move(late), text + "y");

    Account account;
    EXPECT_EQ(co_await to_thread(&Account::add, &account, 5), 5);
    EXPECT_EQ(co_await to_thread(&Account::add, std::ref(account), 2), 7);
    int counter = 0;
    co_await to_thread([](int& n) { ++n; }, std::ref(counter));
    EXPECT_EQ(counter, 1);
    auto only_moved = [owned = std::make_unique<int>(4)] { return *owned; };
    EXPECT_EQ(co_await to_thread(std::move(only_moved)), 4);
  });
}

TEST(to_thread, lets_go_of_function_and_arguments_before_it_returns) {
  on_loops([]() -> Coro<> {
    const auto token = std::make_shared<int>(0);
    for (int round = 0; round < 50; ++round) {
      co_await to_thread([held = token](std::shared_ptr<int>) {}, token);
      EXPECT_EQ(token.use_count(), 1);
      (void)co_await kit::thrown_by<OwnError>(
          to_thread([held = token] { throw OwnError("broken", 1); }));
      EXPECT_EQ(token.use_count(), 1);
    }
  });
}

TEST(to_thread, calls_the_function_on_another_thread_that_is_no_loop) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await to_thread([] { return get_running_loop_or_null(); }), nullptr);
    EXPECT_THROW(co_await to_thread([] { return &get_running_loop(); }), NoRunningLoop);
    if (kit::simulated()) co_return;
    EXPECT_NE(co_await to_thread([] { return std::this_thread::get_id(); }),
              std::this_thread::get_id());
  });
}

TEST(to_thread, may_be_what_run_runs_and_be_combined) {
  const kit::Watchdog watchdog;
  EXPECT_EQ(run(to_thread([](int n) { return n + 1; }, 1)), 2);
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await gather(to_thread([] { return 1; }), to_thread([] { return 2; })),
              std::tuple(1, 2));
    EXPECT_EQ(co_await create_task(to_thread([] { return 3; })), 3);
    EXPECT_EQ(co_await shield(to_thread([] { return 4; })), 4);
  });
}

TEST(to_thread, sees_the_context_of_its_caller_and_keeps_what_it_sets) {
  static ContextVar<std::string> user{"user", "nobody"};
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await to_thread([] { return user.get(); }), "nobody");
    // What the first variable set in a thread is, the next function there must not see.
    co_await to_thread([] { user.set("thread"); });
    for (int i = 0; i < 20; ++i) EXPECT_EQ(co_await to_thread([] { return user.get(); }), "nobody");
    auto early = to_thread([] { return user.get(); });
    user.set("ann");
    EXPECT_EQ(co_await std::move(early), "ann") << "copied when it is awaited, as in asyncio";
    const auto inside = co_await to_thread([] {
      auto before = user.get();
      user.set("bob");
      return before + " " + user.get();
    });
    EXPECT_EQ(inside, "ann bob");
    EXPECT_EQ(user.get(), "ann");
  });
}

TEST(to_thread, keeps_the_contexts_of_many_tasks_apart) {
  static ContextVar<int> number{"number", -1};
  on_loops([]() -> Coro<> {
    std::vector<Task<bool>> tasks;
    for (int i = 0; i < 100; ++i) {
      tasks.push_back(create_task([i]() -> Coro<bool> {
        number.set(i);
        bool right = true;
        for (int round = 0; round < 5; ++round) {
          right &= co_await to_thread([i] {
            const bool seen = number.get() == i;
            number.set(-2);
            return seen;
          });
          right &= number.get() == i;
        }
        co_return right;
      }));
    }
    for (auto& task : tasks) EXPECT_TRUE(co_await task);
  });
}

TEST(to_thread, runs_functions_at_the_same_time) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    constexpr int together = 5;  // each processor and four more: never fewer
    std::latch all(together);
    std::vector<Task<>> tasks;
    for (int i = 0; i < together; ++i)
      tasks.push_back(create_task(to_thread([&all] { all.arrive_and_wait(); })));
    for (auto& task : tasks) co_await task;
  });
}

TEST(to_thread, uses_no_more_threads_than_asyncio_would) {
  KIT_USES_THREADS();
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  const int threads_max = std::min(32, CPU_COUNT(&allowed) + 4);
  on_loops([threads_max]() -> Coro<> {
    std::atomic<int> inside = 0;
    std::atomic<int> most = 0;
    std::latch full(threads_max);
    std::vector<Task<>> tasks;
    for (int i = 0; i < 3 * threads_max; ++i) {
      tasks.push_back(create_task(to_thread([&, i] {
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        if (i < threads_max) full.arrive_and_wait();
        --inside;
      })));
    }
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(most, threads_max);
  });
}

TEST(to_thread, is_not_bound_to_the_processor_of_a_loop) {
  KIT_USES_THREADS();
  const auto processors = [] {
    cpu_set_t set;
    return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -1;
  };
  const int allowed = processors();
  on_loops([&]() -> Coro<> {
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(co_await to_thread(processors), allowed);
    }
  });
}

}  // namespace
