// Runner::metrics: what it counts, and that it may be read while all loops are busy.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/detail/operation_awaiter.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <kit/needs_kernel.hpp>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

class Nop : public detail::OperationAwaiter {
 public:
  Nop() noexcept : OperationAwaiter(leaf) { code = detail::OpCode::Nop; }

 private:
  static constexpr detail::LeafKind leaf{"nop", &OperationAwaiter::cancel_leaf};
};

TEST(metrics, counts_what_each_loop_does) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2});
  runner.run([&]() -> Coro<> {
    const LoopMetrics before = runner.metrics().loops[1];
    auto task = runner.loops()[1]->create_task([]() -> Coro<> {
      for (int i = 0; i < 10; ++i) co_await Nop();
      for (int i = 0; i < 5; ++i) {
        get_running_loop().call_soon([] {});
        co_await sleep(0ms);
      }
      get_running_loop().call_later(1h, [] {});
    });
    co_await task;
    const LoopMetrics after = runner.metrics().loops[1];
    EXPECT_EQ(after.completions - before.completions, 10U);
    // One start and 15 suspensions; and this task, which was woken there.
    EXPECT_GE(after.tasks_run - before.tasks_run, 16U);
    EXPECT_LE(after.tasks_run - before.tasks_run, 17U);
    EXPECT_GE(after.callbacks - before.callbacks, 5U);
    EXPECT_EQ(after.timers, 1U);
    EXPECT_EQ(after.operations, 0U);
    EXPECT_GE(after.total, before.total);
    EXPECT_LE(after.idle, after.total);
    EXPECT_GE(after.polls, before.polls);
  });
}

TEST(metrics, counts_how_often_a_loop_sleeps) {
  KIT_NEEDS_KERNEL("loops that sleep");
  const kit::Watchdog watchdog;
  Runner runner({.loops = 1});
  runner.run([&]() -> Coro<> {
    const LoopMetrics before = runner.metrics().loops[0];
    for (int i = 0; i < 5; ++i) co_await sleep(2ms);
    const LoopMetrics after = runner.metrics().loops[0];
    EXPECT_GE(after.parks - before.parks, 5U);
    EXPECT_GE(after.idle - before.idle, 5ms);
  });
}

// The first loop runs and never looks at the second, which has slept since it was started.
TEST(metrics, counts_a_sleep_that_has_not_ended) {
  KIT_NEEDS_KERNEL("loops that sleep");
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2});
  runner.run([&]() -> Coro<> {
    LoopMetrics before;
    LoopMetrics after;
    do {  // until it has slept all the while
      before = after = runner.metrics().loops[1];
      while (after.total - before.total < 20ms) {
        const LoopMetrics next = runner.metrics().loops[1];
        EXPECT_GE(next.idle, after.idle);
        after = next;
      }
      co_await kit::yield();
    } while (before.parks == 0 || after.parks != before.parks);
    EXPECT_GE(after.idle - before.idle, 15ms);
  });
}

TEST(metrics, counts_the_tasks_that_loops_take_from_each_other) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 3});
  runner.run([&]() -> Coro<> {
    const auto stolen = [&] {
      std::uint64_t by = 0;
      for (const LoopMetrics& loop : runner.metrics().loops) by += loop.stolen_by;
      return by;
    };
    std::vector<Task<>> tasks;
    while (stolen() == 0) {
      for (int i = 0; i < 100; ++i)
        tasks.push_back(create_task([]() -> Coro<> { co_await sleep(0ms); }));
      co_await sleep(1us);
    }
    for (auto& task : tasks) co_await task;
  });
  runner.close();
  std::uint64_t by = 0;
  std::uint64_t from = 0;
  for (const LoopMetrics& loop : runner.metrics().loops) {
    by += loop.stolen_by;
    from += loop.stolen_from;
  }
  EXPECT_GT(by, 0U);
  EXPECT_EQ(by, from) << "each was taken from somebody";
}

TEST(metrics, may_be_read_while_all_loops_are_busy) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 3});
  runner.run([&]() -> Coro<> {
    std::atomic<bool> stop{false};
    std::vector<Task<>> tasks;
    for (Loop* loop : runner.loops()) {
      tasks.push_back(loop->create_task([&]() -> Coro<> {
        while (!stop) {
          co_await Nop();
          co_await create_task([]() -> Coro<> { co_await sleep(1us); });
        }
      }));
    }
    for (int i = 0; i < 300; ++i) {
      const Metrics metrics = runner.metrics();
      EXPECT_EQ(metrics.loops.size(), 3U);
      EXPECT_GE(metrics.tasks, 4U);
      co_await sleep(10us);
    }
    stop = true;
    for (auto& task : tasks) co_await task;
    for (const auto& loop : runner.metrics().loops) EXPECT_EQ(loop.operations, 0U);
  });
}

}  // namespace
