// Queue: a cancel, of both kinds, at each place where a task may wait.
#include <coil/cancel_scope.hpp>
#include <coil/loop.hpp>
#include <coil/queue.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <string>
#include <vector>

#include "queue_kit.hpp"

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using queue_kit::waits;
using namespace std::chrono_literals;

namespace {

Coro<int> get_one(Queue<int>& queue) { co_return co_await queue.get(); }
Coro<> put_one(Queue<int>& queue, int item) { co_await queue.put(item); }
Coro<> join(Queue<int>& queue) { co_await queue.join(); }

TEST(queue_cancel, of_a_get_leaves_the_item_to_the_next) {
  on_loops([]() -> Coro<> {
    Queue<int> queue;
    auto first = create_task(get_one(queue));
    co_await waits(first);
    auto second = create_task(get_one(queue));
    co_await waits(second);
    first.cancel("enough");
    EXPECT_EQ(co_await thrown_by<CancelledError>(first), "enough");
    queue.put_nowait(1);
    EXPECT_EQ(co_await second, 1);
  });
}

TEST(queue_cancel, of_a_put_takes_its_item_out_of_the_line) {
  on_loops([]() -> Coro<> {
    Queue<int> queue(1);
    queue.put_nowait(0);
    auto first = create_task(put_one(queue, 1));
    co_await waits(first);
    auto second = create_task(put_one(queue, 2));
    co_await waits(second);
    first.cancel();
    co_await thrown_by<CancelledError>(first);
    EXPECT_EQ(co_await queue.get(), 0);
    EXPECT_EQ(co_await queue.get(), 2);
    co_await second;
    EXPECT_TRUE(queue.empty());
  });
}

TEST(queue_cancel, of_a_join_leaves_the_others_waiting) {
  on_loops([]() -> Coro<> {
    Queue<int> queue;
    queue.put_nowait(0);
    auto first = create_task(join(queue));
    auto second = create_task(join(queue));
    co_await waits(first);
    co_await waits(second);
    first.cancel();
    co_await thrown_by<CancelledError>(first);
    EXPECT_FALSE(second.done());
    queue.task_done();
    co_await second;
  });
}

TEST(queue_cancel, by_a_scope_ends_every_wait) {
  on_loops([]() -> Coro<> {
    Queue<int> queue(1);
    EXPECT_TRUE((co_await move_on_after(1ms, [&]() -> Coro<> {
                  co_await queue.get();
                })).cancelled_caught());
    queue.put_nowait(1);
    EXPECT_TRUE((co_await move_on_after(1ms, [&]() -> Coro<> {
                  co_await queue.put(2);
                })).cancelled_caught());
    EXPECT_TRUE((co_await move_on_after(1ms, [&]() -> Coro<> {
                  co_await queue.join();
                })).cancelled_caught());
    EXPECT_EQ(co_await queue.get(), 1);
    EXPECT_TRUE(queue.empty());
  });
}

TEST(queue_cancel, comes_again_at_every_wait_in_a_cancelled_scope) {
  on_loops([]() -> Coro<> {
    Queue<int> queue;
    int thrown = 0;
    co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      scope.cancel();
      for (int i = 0; i < 3; ++i) {
        try {
          co_await queue.get();
        } catch (const CancelledError&) {
          ++thrown;
        }
      }
      co_await queue.put(1);  // need not wait: delivers none
      EXPECT_EQ(co_await queue.get(), 1);
    });
    EXPECT_EQ(thrown, 3);
  });
}

TEST(queue_cancel, is_not_delivered_by_what_need_not_wait) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue(1);
    queue.put_nowait(1);
    auto blocked = create_task(put_one(queue, 2));
    co_await waits(blocked);
    auto task = create_task([&]() -> Coro<int> {
      current_task().cancel();
      // One from the queue, one from the task that waits to put it, one that nobody has to wait
      // for.
      const int sum = co_await queue.get() + co_await queue.get();
      co_await queue.put(3);
      bool cancelled = false;
      try {
        co_await queue.put(4);
      } catch (const CancelledError&) {
        cancelled = true;
      }
      EXPECT_TRUE(cancelled);
      co_return sum;
    });
    EXPECT_EQ(co_await task, 3);
    EXPECT_EQ(queue.qsize(), 1U);
    co_await blocked;
  });
}

TEST(queue_cancel, that_comes_after_the_item_is_delivered_at_the_next_wait) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue;
    int got = 0;
    auto task = create_task([&]() -> Coro<> {
      got = co_await queue.get();
      co_await sleep_forever();
    });
    co_await waits(task);
    queue.put_nowait(9);
    task.cancel("late");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "late");
    EXPECT_EQ(got, 9) << "the item was handed over before the cancel";
    EXPECT_TRUE(queue.empty());
  });
}

TEST(queue_cancel, that_comes_after_the_place_does_not_take_the_item_back) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue(1);
    queue.put_nowait(1);
    bool put = false;
    auto task = create_task([&]() -> Coro<> {
      co_await queue.put(2);
      put = true;
      co_await sleep_forever();
    });
    co_await waits(task);
    EXPECT_EQ(queue.get_nowait(), 1);
    task.cancel();
    co_await thrown_by<CancelledError>(task);
    EXPECT_TRUE(put);
    EXPECT_EQ(queue.get_nowait(), 2);
  });
}

TEST(queue_cancel, before_the_wait_takes_and_puts_nothing) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue(1);
    auto task = create_task([&]() -> Coro<> {
      current_task().cancel();
      co_await queue.get();
    });
    co_await thrown_by<CancelledError>(task);
    queue.put_nowait(1);
    auto other = create_task([&]() -> Coro<> {
      current_task().cancel();
      co_await queue.put(2);
    });
    co_await thrown_by<CancelledError>(other);
    EXPECT_EQ(queue.get_nowait(), 1);
    EXPECT_TRUE(queue.empty());
  });
}

TEST(queue_cancel, by_a_timeout_in_a_race_with_the_item_loses_none) {
  on_loops([]() -> Coro<> {
    Queue<int> queue;
    int got = 0;
    constexpr int items = 200;
    auto producer = create_task([&]() -> Coro<> {
      for (int i = 0; i < items; ++i) {
        co_await sleep(std::chrono::microseconds(i % 7 * 10));
        co_await queue.put(i);
      }
    });
    while (got < items) {
      try {
        EXPECT_EQ(co_await wait_for(queue.get(), std::chrono::microseconds(30)), got);
        ++got;
      } catch (const TimeoutError&) {
        EXPECT_EQ(current_task().cancelling(), 0);
      }
    }
    co_await producer;
    EXPECT_TRUE(queue.empty());
  });
}

TEST(queue_cancel, of_everybody_leaves_a_queue_that_works) {
  on_loops([]() -> Coro<> {
    Queue<int> queue(1);
    std::vector<Task<int>> getters;
    for (int i = 0; i < 20; ++i) getters.push_back(create_task(get_one(queue)));
    co_await waits(getters.back());
    for (auto& task : getters) task.cancel();
    for (auto& task : getters) co_await thrown_by<CancelledError>(task);
    co_await queue.put(1);
    std::vector<Task<>> putters;
    for (int i = 0; i < 20; ++i) putters.push_back(create_task(put_one(queue, i)));
    co_await waits(putters.back());
    for (auto& task : putters) task.cancel();
    for (auto& task : putters) co_await thrown_by<CancelledError>(task);
    EXPECT_EQ(co_await queue.get(), 1);
    EXPECT_TRUE(queue.empty());
    co_await queue.put(2);
    EXPECT_EQ(co_await queue.get(), 2);
  });
}

}  // namespace
