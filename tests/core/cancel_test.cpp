// Task::cancel: counted, delivered once, forwarded to what the task awaits.
#include <atomic>
#include <coil/future.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/shield.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

constexpr int chain_length = 100'000;

Coro<> suspended(TaskRef task) {
  co_await kit::until([&] { return task.get()->suspended(); });
}

TEST(cancel, before_the_start_keeps_the_body_from_running) {
  on_one_loop([]() -> Coro<> {
    bool ran = false;
    auto held = std::make_shared<int>(1);
    auto task = create_task(
        [&ran](std::shared_ptr<int>) -> Coro<> {
          ran = true;
          co_return;
        },
        held);
    EXPECT_TRUE(task.cancel("too early"));
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "too early");
    EXPECT_FALSE(ran);
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(held.use_count(), 1) << "the arguments were not destroyed";
  });
}

TEST(cancel, before_the_start_may_be_taken_back) {
  on_one_loop([]() -> Coro<> {
    bool ran = false;
    auto task = create_task([&]() -> Coro<> {
      ran = true;
      co_return;
    });
    task.cancel();
    EXPECT_EQ(task.uncancel(), 0);
    co_await task;
    EXPECT_TRUE(ran);
  });
}

TEST(cancel, of_a_done_task_does_nothing) {
  on_loops([]() -> Coro<> {
    auto task = create_task([]() -> Coro<int> { co_return 1; });
    EXPECT_EQ(co_await task, 1);
    EXPECT_FALSE(task.cancel());
    EXPECT_EQ(task.cancelling(), 0);
    EXPECT_FALSE(task.cancelled());
    EXPECT_EQ(co_await task, 1);
  });
}

TEST(cancel, throws_at_the_suspension_with_its_text) {
  on_loops([]() -> Coro<> {
    std::string seen = "nothing";
    auto task = create_task([&]() -> Coro<> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError& error) {
        seen = error.what();
        throw;
      }
    });
    co_await suspended(task);
    EXPECT_TRUE(task.cancel("the reason"));
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "the reason");
    EXPECT_EQ(seen, "the reason");
  });
}

TEST(cancel, is_no_std_exception) {
  on_loops([]() -> Coro<> {
    bool swallowed = false;
    auto task = create_task([&]() -> Coro<> {
      try {
        co_await sleep_forever();
      } catch (const std::exception&) {
        swallowed = true;
      }
    });
    co_await suspended(task);
    task.cancel();
    co_await thrown_by<CancelledError>(task);
    EXPECT_FALSE(swallowed);
  });
}

TEST(cancel, of_itself_comes_at_the_next_suspension) {
  on_loops([]() -> Coro<> {
    int steps = 0;
    auto task = create_task([&]() -> Coro<> {
      current_task().cancel("myself");
      ++steps;
      auto done = create_future<int>();
      done.set_result(1);
      co_await done;  // does not suspend
      ++steps;
      co_await sleep(0ms);
      ++steps;
    });
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "myself");
    EXPECT_EQ(steps, 2);
  });
}

TEST(cancel, is_delivered_once) {
  on_loops([]() -> Coro<> {
    auto task = create_task([]() -> Coro<int> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
      }
      co_await sleep(1ms);
      co_await kit::yield(2);
      co_return 7;
    });
    co_await suspended(task);
    task.cancel();
    EXPECT_EQ(co_await task, 7);
    EXPECT_FALSE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 1);
  });
}

TEST(cancel, is_counted_and_can_be_taken_back) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task([]() -> Coro<int> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
      }
      EXPECT_EQ(current_task().cancelling(), 2);
      EXPECT_EQ(current_task().uncancel(), 1);
      EXPECT_EQ(current_task().uncancel(), 0);
      EXPECT_EQ(current_task().uncancel(), 0);
      co_await sleep(1ms);
      co_return 1;
    });
    co_await kit::yield();
    task.cancel("first");
    task.cancel("second");
    EXPECT_EQ(task.cancelling(), 2);
    EXPECT_EQ(co_await task, 1);
  });
}

TEST(cancel, that_is_taken_back_before_the_suspension_is_not_thrown) {
  on_one_loop([]() -> Coro<> {
    current_task().cancel();
    EXPECT_EQ(current_task().uncancel(), 0);
    co_await sleep(1ms);
    co_await kit::yield();
  });
}

TEST(cancel, reaches_a_task_that_waits_in_a_ready_queue) {
  on_one_loop([]() -> Coro<> {
    int steps = 0;
    auto task = create_task([&]() -> Coro<> {
      ++steps;
      co_await sleep(0ms);
      ++steps;
    });
    co_await kit::yield();
    task.cancel();
    co_await thrown_by<CancelledError>(task);
    EXPECT_EQ(steps, 1);
  });
}

TEST(cancel, leaves_a_result_that_was_there_first) {
  on_one_loop([]() -> Coro<> {
    auto gate = create_future<int>();
    int seen = 0;
    auto task = create_task([&]() -> Coro<> {
      seen = co_await gate;
      co_await sleep(0ms);
      seen = -1;
    });
    co_await kit::yield();
    gate.set_result(5);
    task.cancel();
    co_await thrown_by<CancelledError>(task);
    EXPECT_EQ(seen, 5);
  });
}

TEST(cancel, goes_on_to_the_task_that_is_awaited) {
  on_loops([]() -> Coro<> {
    auto inner = create_task(sleep_forever());
    auto outer = create_task([inner]() -> Coro<> { co_await inner; });
    co_await suspended(outer);
    co_await suspended(inner);
    outer.cancel("through");
    EXPECT_EQ(co_await thrown_by<CancelledError>(outer), "through");
    EXPECT_TRUE(inner.cancelled());
    EXPECT_EQ(inner.cancelling(), 1);
  });
}

TEST(cancel, goes_on_to_the_task_that_is_awaited_next) {
  on_loops([]() -> Coro<> {
    auto inner = create_task(sleep_forever());
    auto outer = create_task([inner]() -> Coro<> {
      current_task().cancel();
      co_await inner;
    });
    co_await thrown_by<CancelledError>(outer);
    EXPECT_TRUE(inner.done());
    EXPECT_TRUE(inner.cancelled());
  });
}

TEST(cancel, is_swallowed_with_the_awaited_task_that_swallows_it) {
  on_loops([]() -> Coro<> {
    auto inner = create_task([]() -> Coro<int> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
      }
      co_return 3;
    });
    auto outer = create_task([inner]() -> Coro<int> { co_return co_await inner; });
    co_await suspended(outer);
    co_await suspended(inner);
    outer.cancel();
    EXPECT_EQ(co_await outer, 3);
    EXPECT_EQ(outer.cancelling(), 1);
    EXPECT_FALSE(outer.cancelled());
  });
}

TEST(cancel, comes_back_from_an_awaited_task_that_ended_before_it_got_there) {
  on_one_loop([]() -> Coro<> {
    auto gate = create_future<int>();
    auto inner = create_task([gate]() -> Coro<int> { co_return co_await gate; });
    int seen = 0;
    auto outer = create_task([&]() -> Coro<> {
      seen = co_await inner;
      co_await sleep(0ms);
      seen = -1;
    });
    co_await kit::yield(3);
    gate.set_result(5);  // inner is ready, and will end without suspending again
    outer.cancel("not lost");
    EXPECT_EQ(co_await thrown_by<CancelledError>(outer), "not lost");
    EXPECT_EQ(seen, 5);
    EXPECT_EQ(inner.result(), 5);
  });
}

TEST(cancel, gives_the_awaiter_what_the_awaited_task_throws_instead) {
  on_loops([]() -> Coro<> {
    auto inner = create_task([]() -> Coro<> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
      }
      throw std::logic_error("instead");
    });
    auto outer = create_task([inner]() -> Coro<> { co_await inner; });
    co_await suspended(outer);
    co_await suspended(inner);
    outer.cancel();
    EXPECT_EQ(co_await thrown_by<std::logic_error>(outer), "instead");
    EXPECT_FALSE(outer.cancelled());
  });
}

TEST(cancel, passes_down_a_chain_of_a_hundred_thousand_tasks) {
  on_loops([]() -> Coro<> {
    std::vector<Task<>> chain;
    chain.reserve(chain_length);
    chain.push_back(create_task(sleep_forever()));
    for (int i = 1; i < chain_length; ++i)
      chain.push_back(create_task([](Task<> inner) -> Coro<> { co_await inner; }, chain.back()));
    for (auto& task : chain) co_await suspended(task);
    chain.back().cancel("down");
    EXPECT_EQ(co_await thrown_by<CancelledError>(chain.back()), "down");
    for (auto& task : chain) EXPECT_TRUE(task.cancelled());
  });
}

TEST(cancel, from_a_thread_that_is_no_loop) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 100; ++i) {
      auto task = create_task(sleep_forever());
      co_await kit::yield(i % 3);
      std::thread thread([task] { EXPECT_TRUE(task.cancel("thread")); });
      EXPECT_EQ(co_await thrown_by<CancelledError>(task), "thread");
      thread.join();
    }
  });
}

TEST(cancel, from_many_threads_at_once_is_delivered_and_counted) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 30; ++round) {
      std::atomic<int> caught{0};
      std::atomic<bool> stop{false};
      auto task = create_task([&]() -> Coro<> {
        while (!stop) {
          try {
            co_await sleep(20us);
          } catch (const CancelledError&) {
            ++caught;
          }
        }
      });
      co_await suspended(task);
      std::vector<std::thread> threads;
      for (int i = 0; i < 4; ++i)
        threads.emplace_back([task] {
          for (int n = 0; n < 50; ++n) task.cancel();
        });
      for (auto& thread : threads) thread.join();
      EXPECT_EQ(task.cancelling(), 200);
      co_await sleep(100us);
      stop = true;
      co_await task;
      EXPECT_GE(caught, 1);
      EXPECT_LE(caught, 200);
    }
  });
}

// Every await either gave its result or threw; the sum tells that none was lost or came twice.
TEST(cancel, races_with_completion_without_losing_either) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 300; ++round) {
      auto gate = create_future<int>();
      int got = 0;
      int cancelled = 0;
      auto task = create_task([&]() -> Coro<> {
        try {
          got += co_await gate;
        } catch (const CancelledError&) {
          ++cancelled;
        }
        try {
          co_await sleep(0ms);
        } catch (const CancelledError&) {
          ++cancelled;
        }
      });
      co_await suspended(task);
      std::thread setter([gate] { gate.try_set_result(1); });
      const bool accepted = task.cancel();  // false: the task has ended on another loop
      co_await task;
      setter.join();
      // On another loop it may have been past its last suspension; cancel_stress is stricter.
      EXPECT_LE(cancelled, accepted ? 1 : 0);
      EXPECT_EQ(got, gate.cancelled() ? 0 : 1);
    }
  });
}

TEST(cancel, of_many_sleepers_unwinds_them_all) {
  on_loops([]() -> Coro<> {
    std::vector<Task<>> tasks;
    for (int i = 0; i < 10'000; ++i)
      tasks.push_back(create_task(
          [](int n) -> Coro<> {
            co_await sleep(std::chrono::hours(1) + std::chrono::milliseconds(n));
          },
          i));
    co_await kit::yield(3);
    for (auto& task : tasks) task.cancel();
    for (auto& result : co_await gather_results(tasks)) EXPECT_FALSE(result.has_value());
    EXPECT_EQ(all_tasks().size(), 1U);
  });
}

}  // namespace
