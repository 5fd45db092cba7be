// Queue: join and task_done, and shutdown (asyncio 3.13).
#include <coil/queue.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <stdexcept>
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

TEST(queue_join, returns_at_once_while_nothing_was_put) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue;
    co_await queue.join();
    queue.put_nowait(1);
    (void)queue.get_nowait();
    queue.task_done();
    co_await queue.join();
  });
}

TEST(queue_join, waits_until_every_item_is_done_not_only_taken) {
  on_loops([]() -> Coro<> {
    Queue<int> queue;
    for (int i = 0; i < 100; ++i) queue.put_nowait(i);
    std::atomic<int> done{0};
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      std::vector<Task<>> workers;
      for (int i = 0; i < 2; ++i)
        workers.push_back(group.create_task([&]() -> Coro<> {
          for (;;) {
            (void)co_await queue.get();
            co_await kit::yield();
            ++done;
            queue.task_done();
          }
        }));
      co_await queue.join();
      EXPECT_EQ(done.load(), 100);
      for (auto& worker : workers) worker.cancel();
    });
  });
}

TEST(queue_join, wakes_everybody_who_joins) {
  on_loops([]() -> Coro<> {
    Queue<int> queue;
    queue.put_nowait(1);
    std::vector<Task<>> joiners;
    for (int i = 0; i < 5; ++i) joiners.push_back(create_task(join(queue)));
    co_await waits(joiners.back());
    EXPECT_FALSE(joiners[0].done());
    (void)queue.get_nowait();
    queue.task_done();
    for (auto& joiner : joiners) co_await joiner;
  });
}

TEST(queue_join, counts_items_that_were_handed_over_and_not_those_that_wait_to_be_put) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue(1);
    auto getter = create_task(get_one(queue));
    co_await waits(getter);
    queue.put_nowait(1);
    co_await getter;
    queue.put_nowait(2);
    auto putter = create_task(put_one(queue, 3));
    co_await waits(putter);
    queue.task_done();
    queue.task_done();
    co_await queue.join();
    putter.cancel();
    co_await thrown_by<CancelledError>(putter);
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
  });
}

TEST(queue_join, task_done_too_often_is_an_error) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue;
    try {
      queue.task_done();
      ADD_FAILURE() << "did not throw";
    } catch (const std::invalid_argument& error) {
      EXPECT_STREQ(error.what(), "task_done() called too many times");
    }
    queue.put_nowait(1);
    queue.task_done();
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
    co_return;
  });
}

TEST(queue_shutdown, lets_the_items_out_and_none_in) {
  on_loops([]() -> Coro<> {
    Queue<int> queue;
    queue.put_nowait(1);
    queue.put_nowait(2);
    queue.shutdown();
    co_await thrown_by<QueueShutDown>(queue.put(3));
    EXPECT_THROW(queue.put_nowait(3), QueueShutDown);
    EXPECT_EQ(queue.qsize(), 2U);
    EXPECT_EQ(co_await queue.get(), 1);
    EXPECT_EQ(queue.get_nowait(), 2);
    co_await thrown_by<QueueShutDown>(queue.get());
    EXPECT_THROW((void)queue.get_nowait(), QueueShutDown);
    queue.task_done();
    queue.task_done();
    co_await queue.join();
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
    queue.shutdown();
  });
}

TEST(queue_shutdown, of_a_full_queue_says_shut_down_and_not_full) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue(1);
    queue.put_nowait(1);
    queue.shutdown();
    EXPECT_THROW(queue.put_nowait(2), QueueShutDown);
    co_await thrown_by<QueueShutDown>(queue.put(2));
  });
}

TEST(queue_shutdown, refuses_those_who_wait_to_put) {
  on_loops([]() -> Coro<> {
    for (const bool immediate : {false, true}) {
      Queue<int> queue(1);
      queue.put_nowait(1);
      auto first = create_task(put_one(queue, 2));
      auto second = create_task(put_one(queue, 3));
      co_await waits(first);
      co_await waits(second);
      queue.shutdown(immediate);
      co_await thrown_by<QueueShutDown>(first);
      co_await thrown_by<QueueShutDown>(second);
      EXPECT_EQ(queue.qsize(), immediate ? 0U : 1U);
    }
  });
}

TEST(queue_shutdown, refuses_those_who_wait_to_get) {
  on_loops([]() -> Coro<> {
    for (const bool immediate : {false, true}) {
      Queue<int> queue;
      std::vector<Task<int>> getters;
      for (int i = 0; i < 3; ++i) getters.push_back(create_task(get_one(queue)));
      co_await waits(getters.back());
      queue.shutdown(immediate);
      for (auto& getter : getters) co_await thrown_by<QueueShutDown>(getter);
    }
  });
}

TEST(queue_shutdown, immediate_drops_the_items_and_counts_them_as_done) {
  on_loops([]() -> Coro<> {
    Queue<std::shared_ptr<int>> queue;
    auto item = std::make_shared<int>(1);
    for (int i = 0; i < 100; ++i) queue.put_nowait(item);
    auto taken = co_await queue.get();
    auto joiner = create_task([&]() -> Coro<> { co_await queue.join(); });
    co_await waits(joiner);
    queue.shutdown(true);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(item.use_count(), 2);
    co_await thrown_by<QueueShutDown>(queue.get());
    EXPECT_FALSE(joiner.done()) << "one that was taken is not done yet";
    queue.task_done();
    co_await joiner;
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
  });
}

TEST(queue_shutdown, immediate_wakes_join_when_nothing_is_left_to_do) {
  on_loops([]() -> Coro<> {
    Queue<int> queue;
    queue.put_nowait(1);
    queue.put_nowait(2);
    auto joiner = create_task(join(queue));
    co_await waits(joiner);
    queue.shutdown(true);
    co_await joiner;
  });
}

TEST(queue_shutdown, immediate_after_tasks_done_ahead_of_their_get_counts_none_twice) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue;
    queue.put_nowait(1);
    queue.put_nowait(2);
    queue.task_done();
    queue.task_done();
    queue.shutdown(true);
    co_await queue.join();
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
  });
}

TEST(queue_shutdown, twice_the_second_time_immediate_drops_what_the_first_left) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue;
    queue.put_nowait(1);
    queue.shutdown();
    queue.shutdown(true);
    EXPECT_TRUE(queue.empty());
    co_await queue.join();
  });
}

// An item whose destructor uses the queue: what is dropped is destroyed under no lock.
TEST(queue_shutdown, immediate_lets_the_dropped_items_use_the_queue) {
  on_one_loop([]() -> Coro<> {
    struct Ticket {
      explicit Ticket(Queue<std::unique_ptr<Ticket>>& q) : queue(q) {}
      ~Ticket() { sizes += queue.qsize() + (queue.full() ? 1U : 0U); }
      Queue<std::unique_ptr<Ticket>>& queue;
      std::size_t sizes = 0;
    };
    Queue<std::unique_ptr<Ticket>> queue;
    for (int i = 0; i < 3; ++i) queue.put_nowait(std::make_unique<Ticket>(queue));
    queue.shutdown(true);
    co_await queue.join();
  });
}

}  // namespace
