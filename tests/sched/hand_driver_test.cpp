// A loop without a Runner: new_event_loop(), and who drives it when.
#include <gmock/gmock.h>

#include <atomic>
#include <coil/loop.hpp>
#include <coil/run.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <functional>
#include <kit/loops.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

Coro<int> give(int value) {
  co_await sleep(1ms);
  co_return value;
}
Coro<> fail() {
  co_await sleep(0ms);
  throw std::runtime_error("failed");
}
std::string error_of(const std::function<void()>& fn) {
  try {
    fn();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(new_event_loop, runs_a_coroutine_to_its_end) {
  const auto loop = new_event_loop();
  EXPECT_FALSE(loop->is_running());
  EXPECT_EQ(loop->run_until_complete(give(1)), 1);
  EXPECT_EQ(loop->run_until_complete([&]() -> Coro<std::unique_ptr<int>> {
    EXPECT_EQ(&get_running_loop(), loop.get());
    EXPECT_TRUE(loop->is_running());
    auto [a, b] = std::pair(create_task(give(1)), create_task(give(2)));
    co_return std::make_unique<int>(co_await a + co_await b);
  }) == nullptr,
            false);
  EXPECT_EQ(error_of([&] { loop->run_until_complete(fail()); }), "failed");
  EXPECT_FALSE(loop->is_running());
  EXPECT_FALSE(loop->is_closed());
  EXPECT_EQ(get_running_loop_or_null(), nullptr);
}

TEST(new_event_loop, runs_tasks_and_futures_that_are_there_already) {
  const auto loop = new_event_loop();
  auto task = loop->create_task(give(1));
  EXPECT_EQ(loop->run_until_complete(task), 1);
  auto future = loop->create_future<int>();
  loop->call_soon([&] { future.set_result(2); });
  EXPECT_EQ(loop->run_until_complete(future), 2);
  EXPECT_EQ(loop->run_until_complete(future), 2);
}

TEST(new_event_loop, a_task_that_is_cancelled_shows) {
  const auto loop = new_event_loop();
  auto task = loop->create_task([]() -> Coro<> { co_await sleep_forever(); });
  loop->call_soon([&] { task.cancel("enough"); });
  EXPECT_THROW(loop->run_until_complete(task), CancelledError);
}

TEST(new_event_loop, runs_for_ever_until_it_is_stopped) {
  const auto loop = new_event_loop();
  std::string order;
  loop->call_soon([&] { order += 'a'; });
  loop->call_later(2ms, [&] {
    order += 'c';
    loop->stop();
    loop->call_soon([&] { order += 'd'; });
  });
  loop->call_later(1ms, [&] { order += 'b'; });
  loop->run_forever();
  EXPECT_EQ(order.substr(0, 3), "abc");
  loop->run_until_complete(give(0));
  EXPECT_EQ(order, "abcd");
}

TEST(new_event_loop, a_stop_before_the_run_lets_what_is_ready_run) {
  const auto loop = new_event_loop();
  int ran = 0;
  loop->call_soon([&] { ++ran; });
  loop->stop();
  loop->run_forever();
  EXPECT_EQ(ran, 1);
  // It counted once.
  loop->call_later(1ms, [&] { loop->stop(); });
  loop->run_forever();
  EXPECT_EQ(ran, 1);
}

TEST(new_event_loop, a_stop_lets_run_what_was_ready_however_much_that_is) {
  const auto loop = new_event_loop();
  int ran = 0;
  for (int round = 0; round < 3; ++round) {
    ran = 0;
    loop->call_soon([&] { loop->stop(); });
    for (int i = 0; i < 500; ++i) loop->call_soon([&] { ++ran; });
    if (round == 1) loop->stop();
    loop->run_forever();
    EXPECT_EQ(ran, 500);
  }
  // What was meant for those runs does not end another one.
  EXPECT_EQ(loop->run_until_complete(give(4)), 4);
}

TEST(new_event_loop, a_stop_ends_no_later_run_than_the_one_it_was_meant_for) {
  const auto loop = new_event_loop();
  auto future = loop->create_future<int>();
  loop->call_soon([&] {
    future.set_result(1);  // ends the run before the stop has its turn
    loop->stop();
  });
  EXPECT_EQ(loop->run_until_complete(future), 1);
  EXPECT_EQ(loop->run_until_complete(give(2)), 2);
}

TEST(new_event_loop, stopped_before_the_end_throws_and_keeps_the_task) {
  const auto loop = new_event_loop();
  auto task = loop->create_task(give(3));
  loop->call_soon([&] { loop->stop(); });
  EXPECT_EQ(error_of([&] { loop->run_until_complete(task); }),
            "Event loop stopped before Future completed.");
  EXPECT_EQ(loop->run_until_complete(task), 3);
}

TEST(new_event_loop, is_stopped_and_given_work_by_other_threads) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  const auto loop = new_event_loop();
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> ran{0};
    std::thread other([&] {
      run_coroutine_threadsafe(give(1), *loop).get();
      loop->call_soon_threadsafe([&] { ++ran; });
      loop->stop();
    });
    loop->run_forever();
    other.join();
    loop->run_until_complete(give(0));
    EXPECT_EQ(ran, 1);
  }
}

TEST(new_event_loop, may_go_as_soon_as_the_run_has_ended_that_another_thread_stops) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  for (int round = 0; round < 200; ++round) {
    auto loop = new_event_loop();
    std::atomic<bool> running{false};
    std::thread other([&running, loop = loop.get()] {
      while (!running) std::this_thread::yield();
      loop->stop();
    });
    loop->call_soon([&] { running = true; });
    loop->run_forever();
    loop.reset();
    other.join();
  }
}

TEST(new_event_loop, that_cannot_be_closed_where_it_goes_leaves_its_tasks_behind) {
  KIT_USES_THREADS();
  auto loop = new_event_loop();
  auto future = loop->create_future<int>();
  auto task = loop->create_task([future]() -> Coro<> { (void)co_await future; });
  std::thread([&] { loop->run_until_complete(give(1)); }).join();
  const LoopHandle handle = loop->handle();
  testing::internal::CaptureStderr();
  loop.reset();
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("cannot be closed"));
  EXPECT_TRUE(handle.is_closed());
  EXPECT_THROW(handle.call_soon_threadsafe([] {}), LoopClosed);
  EXPECT_FALSE(task.done());
  EXPECT_NO_THROW((void)task.get_loop());
}

TEST(new_event_loop, several_live_side_by_side) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([i] {
      const auto one = new_event_loop();
      const auto two = new_event_loop();
      auto late = two->create_task(give(i));
      EXPECT_EQ(one->run_until_complete([&]() -> Coro<int> {
        // Awaited on one loop, run on the other by another thread.
        std::thread other([&] { two->run_until_complete(late); });
        const int value = co_await late;
        other.join();
        co_return value;
      }),
                i);
    });
  for (auto& thread : threads) thread.join();
}

TEST(new_event_loop, is_not_run_inside_a_running_loop) {
  const auto loop = new_event_loop();
  const auto other = new_event_loop();
  loop->run_until_complete([&]() -> Coro<> {
    EXPECT_EQ(error_of([&] { loop->run_forever(); }), "This event loop is already running");
    EXPECT_EQ(error_of([&] { other->run_until_complete(give(1)); }),
              "Cannot run the event loop while another loop is running");
    EXPECT_EQ(error_of([&] { loop->close(); }), "Cannot close a running event loop");
    co_return;
  });
}

TEST(new_event_loop, belongs_to_the_thread_that_ran_it_first) {
  KIT_USES_THREADS();
  const auto loop = new_event_loop();
  loop->run_until_complete(give(1));
  std::thread([&] {
    EXPECT_THAT(error_of([&] { loop->run_forever(); }),
                testing::StartsWith("run_forever must be called by the thread that ran"));
  }).join();
  loop->run_until_complete(give(1));
}

TEST(new_event_loop, closing_cancels_what_is_left) {
  const auto loop = new_event_loop();
  bool cancelled = false;
  auto task = loop->create_task([&]() -> Coro<> {
    try {
      co_await sleep_forever();
    } catch (const CancelledError&) {
      cancelled = true;
      throw;
    }
  });
  loop->run_until_complete(give(1));
  loop->close();
  EXPECT_TRUE(cancelled);
  EXPECT_TRUE(task.cancelled());
  EXPECT_TRUE(loop->is_closed());
  loop->close();
  EXPECT_THROW(loop->run_until_complete(give(1)), LoopClosed);
  EXPECT_THROW(loop->run_forever(), LoopClosed);
  EXPECT_THROW(loop->call_soon([] {}), LoopClosed);
  EXPECT_THROW((void)loop->create_task(give(1)), LoopClosed);
}

TEST(new_event_loop, may_never_run) {
  auto loop = new_event_loop();
  bool ran = false;
  loop->call_soon([&] { ran = true; });
  auto task = loop->create_task(give(1));
  loop.reset();
  EXPECT_TRUE(ran) << "what was accepted runs when the loop closes";
  EXPECT_TRUE(task.cancelled());
}

TEST(new_event_loop, is_the_only_kind_that_is_driven_by_hand) {
  coil::run(
      []() -> Coro<> {
        Loop& loop = get_running_loop();
        EXPECT_TRUE(loop.is_running());
        for (const auto& fn : std::vector<std::function<void()>>{
                 [&] { loop.run_forever(); }, [&] { loop.stop(); }, [&] { loop.close(); },
                 [&] { loop.run_until_complete(give(1)); }})
          EXPECT_THAT(error_of(fn), testing::HasSubstr("the loop belongs to a Runner"));
        co_return;
      }(),
      {.loops = 2});
}

}  // namespace
