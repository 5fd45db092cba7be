// to_thread: what a cancel does to the wait and to the function, and who waits for the function.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <coil/coil.hpp>
#include <coil/detail/processors.hpp>
#include <future>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;
using kit::on_loops;

namespace {

// Functions on all threads that there may be, until they are let go.
class AllThreads {
 public:
  AllThreads() : inside_(count()) {
    for (int i = 0; i < count(); ++i) {
      tasks_.push_back(create_task(to_thread([this] {
        inside_.count_down();
        go_.wait();
      })));
    }
  }
  Coro<> occupied() const {
    co_await kit::until([this] { return inside_.try_wait(); });
  }
  Coro<> end() {
    go_.count_down();
    for (auto& task : tasks_) co_await task;
  }

 private:
  static int count() {
    return static_cast<int>(std::min<std::size_t>(32, detail::processor_count() + 4));
  }

  std::latch inside_;
  std::latch go_{1};
  std::vector<Task<>> tasks_;
};

TEST(to_thread_cancel, ends_the_wait_at_once_and_lets_the_function_run_to_its_end) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    kit::Reports reports;
    const auto result = std::make_shared<int>(0);
    std::latch go(1);
    std::atomic<int> step = 0;
    auto task = create_task(to_thread([&, held = result] {
      step = 1;
      go.wait();
      step = 2;
      return held;
    }));
    co_await kit::until([&] { return step == 1; });
    EXPECT_TRUE(task.cancel("enough"));
    EXPECT_EQ(co_await kit::thrown_by<CancelledError>(task), "enough");
    EXPECT_EQ(step, 1);
    go.count_down();
    co_await kit::until([&] { return result.use_count() == 1; });
    EXPECT_EQ(step, 2);
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

TEST(to_thread_cancel, reports_the_exception_of_a_function_that_nobody_waits_for) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    kit::Reports reports;
    const auto held = std::make_shared<int>(0);
    std::latch inside(1);
    std::latch go(1);
    auto task = create_task(to_thread([&, held] {
      inside.count_down();
      go.wait();
      throw std::runtime_error("unheard");
    }));
    co_await kit::until([&] { return inside.try_wait(); });
    task.cancel();
    (void)co_await kit::thrown_by<CancelledError>(task);
    go.count_down();
    co_await kit::until([&] { return held.use_count() == 1 && !reports.empty(); });
    EXPECT_EQ(reports.count("ran on in an executor"), 1) << reports.text();
    EXPECT_NE(reports.text().find("unheard"), std::string::npos);
  });
}

TEST(to_thread_cancel, keeps_a_function_that_waits_in_line_from_ever_running) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    AllThreads threads;
    co_await threads.occupied();
    bool ran = false;
    const auto held = std::make_shared<int>(0);
    auto task = create_task(to_thread([&ran, held] { ran = true; }));
    co_await kit::yield(3);
    EXPECT_GT(held.use_count(), 1);
    task.cancel();
    (void)co_await kit::thrown_by<CancelledError>(task);
    EXPECT_EQ(held.use_count(), 1) << "nothing of it waits for a thread";
    co_await threads.end();
    co_await to_thread([] {});  // one that came later has run
    EXPECT_FALSE(ran);
  });
}

TEST(to_thread_cancel, that_is_pending_keeps_the_function_from_ever_running) {
  on_loops([]() -> Coro<> {
    bool ran = false;
    auto task = create_task([&ran]() -> Coro<> {
      current_task().cancel("mine");
      co_await to_thread([&ran] { ran = true; });
    });
    EXPECT_EQ(co_await kit::thrown_by<CancelledError>(task), "mine");
    const auto caught = co_await with_cancel_scope([&ran](CancelScope& scope) -> Coro<> {
      scope.cancel();
      co_await to_thread([&ran] { ran = true; });
    });
    EXPECT_TRUE(caught.cancelled_caught());
    co_await to_thread([] {});
    EXPECT_FALSE(ran);
  });
}

TEST(to_thread_cancel, comes_from_timeouts_and_scopes_too) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    // The functions outlive this coroutine.
    const auto go = std::make_shared<std::latch>(1);
    const auto wait = [go] { go->wait(); };
    EXPECT_THROW(co_await wait_for(to_thread(wait), 1ms), TimeoutError);
    const auto result =
        co_await move_on_after(1ms, [&wait]() -> Coro<> { co_await to_thread(wait); });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_THROW(co_await timeout(1ms, [&wait](Timeout&) -> Coro<> { co_await to_thread(wait); }),
                 TimeoutError);
    go->count_down();
  });
}

// What it uses may live as long as the program's main().
TEST(to_thread_cancel, leaves_a_function_that_run_waits_for) {
  KIT_USES_THREADS();
  for (const int loops : {1, 2}) {
    for (int round = 0; round < 20; ++round) {
      const kit::Watchdog watchdog;
      std::atomic<bool> ended = false;
      std::promise<void> go;
      run(
          [&]() -> Coro<> {
            std::atomic<bool> inside = false;
            auto task = create_task(to_thread([&] {
              inside = true;
              go.get_future().wait();
              ended = true;
            }));
            co_await kit::until([&] { return inside.load(); });
            task.cancel();
            (void)co_await kit::thrown_by<CancelledError>(task);
            get_running_loop().call_soon([&] { go.set_value(); });
          },
          {.loops = loops});
      EXPECT_TRUE(ended);
    }
  }
}

TEST(to_thread_cancel, by_the_end_of_run_keeps_what_waits_in_line_from_running) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  std::atomic<int> begun = 0;
  std::atomic<int> ran = 0;
  std::atomic<bool> go = false;
  run([&]() -> Coro<> {
    // The first ones wait until the others have been cancelled with their tasks.
    static constexpr int many = 100;
    const auto cancelled = std::make_shared<std::atomic<int>>(0);
    for (int i = 0; i < many; ++i) {
      create_task([&, cancelled]() -> Coro<> {
        ++begun;
        try {
          co_await to_thread([&] {
            ++ran;
            go.wait(false);
          });
        } catch (const CancelledError&) {
          if (++*cancelled == many) {
            go = true;
            go.notify_all();
          }
          throw;
        }
      });
    }
    co_await kit::until([&] { return begun == many && ran != 0; });
  });
  EXPECT_GT(ran, 0);
  EXPECT_LE(ran, 32);
}

// asyncio joins its executor with the loop running.
TEST(to_thread_cancel, leaves_a_function_that_may_still_call_the_loops) {
  KIT_USES_THREADS();
  for (const int loops : {1, 2}) {
    const kit::Watchdog watchdog;
    std::atomic<int> answer = 0;
    run(
        [&]() -> Coro<> {
          Loop& loop = get_running_loop();
          std::atomic<bool> inside = false;
          auto task = create_task(to_thread([&answer, &loop, &inside] {
            inside = true;
            std::promise<void> called;
            for (int i = 0; i < 100; ++i) loop.call_soon_threadsafe([] {});
            loop.call_soon_threadsafe([&called] { called.set_value(); });
            called.get_future().wait();
            answer = 42;
          }));
          co_await kit::until([&] { return inside.load(); });
        },
        {.loops = loops});
    EXPECT_EQ(answer, 42);
  }
}

TEST(to_thread_cancel, leaves_a_function_that_close_waits_for) {
  KIT_USES_THREADS();
  for (const int loops : {1, 2}) {
    const kit::Watchdog watchdog;
    std::atomic<bool> ended = false;
    std::atomic<bool> inside = false;
    Runner runner({.loops = loops});
    Loop& loop = runner.get_loop();
    runner.run([&]() -> Coro<> {
      create_task(to_thread([&] {
        inside = true;
        std::promise<void> called;
        loop.call_soon_threadsafe([&called] { called.set_value(); });
        called.get_future().wait();
        ended = true;
      }));
      co_await kit::until([&] { return inside.load(); });
    });
    runner.close();
    EXPECT_TRUE(ended);
  }
}

TEST(to_thread_cancel, leaves_a_function_that_close_waits_for_on_another_thread) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  std::atomic<bool> ended = false;
  std::latch go(1);
  Runner runner({.loops = 1});
  runner.run([&]() -> Coro<> {
    std::atomic<bool> inside = false;
    auto task = create_task(to_thread([&] {
      inside = true;
      go.wait();
      ended = true;
    }));
    co_await kit::until([&] { return inside.load(); });
    task.cancel();
    (void)co_await kit::thrown_by<CancelledError>(task);
  });
  std::latch closing(1);
  std::thread closer([&] {
    closing.count_down();
    runner.close();
    EXPECT_TRUE(ended);
  });
  closing.wait();
  go.count_down();
  closer.join();
}

TEST(to_thread_cancel, of_a_shield_leaves_the_function_s_result_to_others) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    std::latch go(1);
    auto inner = create_task(to_thread([&go] {
      go.wait();
      return 9;
    }));
    auto outer = create_task([&inner]() -> Coro<int> { co_return co_await shield(inner); });
    co_await kit::yield(3);
    outer.cancel();
    (void)co_await kit::thrown_by<CancelledError>(outer);
    go.count_down();
    EXPECT_EQ(co_await inner, 9);
  });
}

}  // namespace
