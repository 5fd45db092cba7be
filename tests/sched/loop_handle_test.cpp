// LoopHandle: what a thread that may outlive a loop keeps of it.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/loop.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <kit/loops.hpp>
#include <optional>
#include <thread>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<int> give(int value) {
  co_await kit::yield();
  co_return value;
}

TEST(loop_handle, calls_and_makes_tasks_on_its_loop_from_anywhere) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  Runner runner({.loops = 2});
  const LoopHandle handle = runner.loops()[1]->handle();
  runner.run([&]() -> Coro<> {
    std::atomic<unsigned> sum{0};
    handle.call_soon_threadsafe([&] { sum += get_running_loop().index(); });
    EXPECT_EQ(co_await handle.create_task(give(1)), 1);
    std::thread thread([handle, &sum] {
      const LoopHandle copy = handle;
      copy.call_soon_threadsafe([&] { sum += get_running_loop().index(); });
      EXPECT_EQ(copy.create_task([] { return give(2); }).get(), 2);
      EXPECT_EQ(copy.create_task(give, 3).get(), 3);
      EXPECT_EQ(run_coroutine_threadsafe(give(4), copy).get(), 4);
      sum += 100;
    });
    co_await kit::until([&] { return sum == 102; });
    thread.join();
    EXPECT_FALSE(handle.is_closed());
  });
}

TEST(loop_handle, outlives_its_loop_and_then_every_call_throws_loop_closed) {
  std::optional<LoopHandle> handle;
  {
    Runner runner({.loops = 2});
    handle = runner.loops()[1]->handle();
    LoopHandle other = runner.get_loop().handle();
    other = *handle;
    runner.close();
    EXPECT_TRUE(handle->is_closed());
  }
  EXPECT_TRUE(handle->is_closed());
  const LoopHandle copy = *handle;
  handle.reset();
  EXPECT_THROW(copy.call_soon_threadsafe([] {}), LoopClosed);
  EXPECT_THROW((void)copy.create_task(give(1)), LoopClosed);
  EXPECT_THROW((void)run_coroutine_threadsafe(give(1), copy), LoopClosed);
}

// Each call is refused, or carried out.
TEST(loop_handle, is_used_by_a_thread_that_knows_nothing_of_the_end) {
  KIT_USES_THREADS();
  for (int round = 0; round < 30; ++round) {
    const kit::Watchdog watchdog;
    std::atomic<int> accepted{0};
    std::atomic<int> ran{0};
    std::atomic<bool> ready{false};
    auto runner = std::make_unique<Runner>(RunOptions{.loops = 1 + round % 2});
    std::thread thread([&, handle = runner->loops().back()->handle()] {
      try {
        for (;;) {
          handle.call_soon_threadsafe([&] { ++ran; });
          ++accepted;
          ready = true;
        }
      } catch (const LoopClosed&) {
      }
    });
    while (!ready) std::this_thread::yield();
    runner.reset();
    thread.join();
    EXPECT_EQ(accepted, ran);
  }
}

}  // namespace
