// Stealing, the injector and fairness: every loop gets work, nothing is lost, nobody starves.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <coil/detail/operation_awaiter.hpp>
#include <coil/future.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <kit/environment.hpp>
#include <kit/loops.hpp>
#include <memory>
#include <thread>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

unsigned here() { return get_running_loop().index(); }

// Holds the processor for about as long, under simulation not at all.
void work(std::chrono::microseconds d) {
  if (kit::simulated()) return;
  const auto end = std::chrono::steady_clock::now() + d;
  while (std::chrono::steady_clock::now() < end) {
  }
}

TEST(stealing, gives_every_loop_some_of_the_tasks_that_one_loop_makes) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 4});
  runner.run([&]() -> Coro<> {
    std::vector<std::atomic<int>> runs(4);
    const auto idle_loops = [&] {
      int n = 0;
      for (const auto& loop : runs) n += loop == 0;
      return n;
    };
    while (idle_loops() != 0) {
      std::vector<Task<>> tasks;
      for (int i = 0; i < 64; ++i) {
        tasks.push_back(create_task([&]() -> Coro<> {
          ++runs[here()];
          work(50us);
          co_return;
        }));
      }
      for (auto& task : tasks) co_await task;
    }
    std::uint64_t by = 0;
    std::uint64_t from = 0;
    for (const auto& loop : runner.metrics().loops) {
      EXPECT_GT(loop.tasks_run, 0U);
      by += loop.stolen_by;
      from += loop.stolen_from;
    }
    EXPECT_GT(by, 0U);
    EXPECT_EQ(by, from);
  });
}

TEST(stealing, can_be_switched_off) {
  const kit::EnvironmentVariable steal("COIL_STEAL", "0");
  const kit::Watchdog watchdog;
  Runner runner({.loops = 3});
  runner.run([&]() -> Coro<> {
    std::vector<Task<>> tasks;
    for (int i = 0; i < 500; ++i) {
      tasks.push_back(create_task([]() -> Coro<> {
        EXPECT_EQ(here(), 0U);
        work(10us);
        co_await sleep(0ms);
        co_await sleep(1us);
        EXPECT_EQ(here(), 0U);
      }));
    }
    for (auto& task : tasks) co_await task;
  });
  const auto metrics = runner.metrics();
  for (const auto& loop : metrics.loops) EXPECT_EQ(loop.stolen_by + loop.stolen_from, 0U);
  EXPECT_EQ(metrics.loops[1].tasks_run + metrics.loops[2].tasks_run, 0U);
}

// The run queue holds 256; the rest overflows into the injector.
TEST(stealing, loses_none_of_many_tasks) {
  for (const char* steal : {"1", "0"}) {
    const kit::EnvironmentVariable variable("COIL_STEAL", steal);
    for (const int loops : {1, 2, 4}) {
      SCOPED_TRACE(loops);
      const kit::Watchdog watchdog;
      Runner runner({.loops = loops});
      runner.run([&]() -> Coro<> {
        constexpr int count = 100'000;
        std::vector<std::atomic<std::uint8_t>> runs(count);
        std::atomic<int> over{0};
        for (int i = 0; i < count; ++i) {
          create_task([](std::atomic<std::uint8_t>& mine, std::atomic<int>& all) -> Coro<> {
            ++mine;
            co_await sleep(0ms);
            ++all;
          }(runs[static_cast<std::size_t>(i)], over));
        }
        EXPECT_GE(runner.metrics().tasks, 1U);
        co_await kit::until([&] { return over == count; });
        int wrong = 0;
        for (const auto& n : runs) wrong += n != 1;
        EXPECT_EQ(wrong, 0) << "tasks lost, or run twice";
        // The last one has counted itself and is about to end.
        co_await kit::until([] { return all_tasks().size() == 1; });
      });
      EXPECT_EQ(runner.metrics().tasks, 0U);
    }
  }
}

// Two that wake each other at once, again and again, until told to stop.
struct ChattyPair {
  std::atomic<bool> stop{false};
  std::vector<Task<>> tasks;

  explicit ChattyPair(Affinity affinity) {
    for (int i = 0; i < 2; ++i) {
      tasks.push_back(create_task(
          [this]() -> Coro<> {
            while (!stop) co_await sleep(0ms);
          },
          {.affinity = affinity}));
    }
  }
  Coro<> end() {
    stop = true;
    for (auto& task : tasks) co_await task;
  }
};

TEST(fairness, lets_a_timer_through_to_a_loop_that_is_never_idle) {
  if (kit::simulated()) GTEST_SKIP() << "virtual time stands still while anything can run";
  for (const int loops : {1, 2}) {
    for (const Affinity affinity : {Affinity::any, Affinity::loop}) {
      const kit::Watchdog watchdog;
      run(
          [&]() -> Coro<> {
            std::vector<std::unique_ptr<ChattyPair>> pairs;
            for (int i = 0; i < 2 * loops; ++i)
              pairs.push_back(std::make_unique<ChattyPair>(affinity));
            // Both on one loop: this task may be stolen and be ahead of what its loop has to do.
            bool called = false;
            auto later = create_future<bool>();
            Loop& loop = get_running_loop();
            loop.call_later(1ms, [&] { called = true; });
            loop.call_later(3ms, [&] { later.set_result(called); });
            EXPECT_TRUE(co_await later);
            for (auto& pair : pairs) co_await pair->end();
          }(),
          {.loops = loops});
    }
  }
}

TEST(fairness, lets_posts_from_other_loops_and_threads_through) {
  for (const int loops : {1, 2}) {
    const kit::Watchdog watchdog;
    Runner runner({.loops = loops});
    runner.run([&]() -> Coro<> {
      ChattyPair pair(Affinity::loop);
      ChattyPair other(Affinity::any);
      for (Loop* loop : runner.loops()) {
        auto posted = create_future<>();
        loop->call_soon([&] { posted.set_result(); });
        co_await posted;
        if (kit::simulated()) continue;
        auto future = create_future<>();  // wakes a task through the injector or the inbox
        std::thread thread([&] {
          loop->call_soon_threadsafe([&] { future.set_result(); });
          auto direct = create_future<>();
          auto waiter =
              run_coroutine_threadsafe([](Future<> f) -> Coro<> { co_await f; }(direct), *loop);
          direct.set_result();
          waiter.get();
        });
        co_await future;
        thread.join();
      }
      co_await pair.end();
      co_await other.end();
    });
  }
}

class Nop : public detail::OperationAwaiter {
 public:
  Nop() noexcept : OperationAwaiter(leaf) { code = detail::OpCode::Nop; }

 private:
  static constexpr detail::LeafKind leaf{"nop", &OperationAwaiter::cancel_leaf};
};

TEST(fairness, lets_completions_of_the_kernel_through) {
  kit::on_loops([]() -> Coro<> {
    ChattyPair pair(Affinity::loop);
    ChattyPair other(Affinity::any);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(co_await Nop(), 0);
    co_await pair.end();
    co_await other.end();
  });
}

TEST(fairness, lets_tasks_from_the_injector_through_to_loops_that_are_never_idle) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2});
  runner.run([&]() -> Coro<> {
    std::vector<std::unique_ptr<ChattyPair>> pairs;
    for (int i = 0; i < 6; ++i) pairs.push_back(std::make_unique<ChattyPair>(Affinity::any));
    for (int i = 0; i < 50; ++i) {
      auto future = create_future<>();
      std::thread thread([&] { future.set_result(); });
      co_await future;  // this task may move: a foreign thread hands it to nobody in particular
      thread.join();
    }
    for (auto& pair : pairs) co_await pair->end();
  });
}

}  // namespace
