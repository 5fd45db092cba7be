// Queue: what asyncio's queue promises, and that nobody is passed, on every number of loops.
#include <coil/cancel_scope.hpp>
#include <coil/future.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/queue.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
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

TEST(queue, gives_items_in_the_order_in_which_they_were_put) {
  on_loops([]() -> Coro<> {
    Queue<int> queue;
    for (int i = 0; i < 1000; ++i) co_await queue.put(i);
    EXPECT_EQ(queue.qsize(), 1000U);
    for (int i = 0; i < 500; ++i) EXPECT_EQ(co_await queue.get(), i);
    for (int i = 500; i < 1000; ++i) EXPECT_EQ(queue.get_nowait(), i);
    EXPECT_TRUE(queue.empty());
  });
}

TEST(queue, tells_its_sizes) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue(2);
    EXPECT_EQ(queue.maxsize(), 2U);
    EXPECT_TRUE(queue.empty());
    EXPECT_FALSE(queue.full());
    queue.put_nowait(1);
    EXPECT_EQ(queue.qsize(), 1U);
    EXPECT_FALSE(queue.empty());
    EXPECT_FALSE(queue.full());
    queue.put_nowait(2);
    EXPECT_TRUE(queue.full());
    co_return;
  });
}

TEST(queue, of_maxsize_zero_or_less_is_never_full) {
  on_one_loop([]() -> Coro<> {
    for (const int maxsize : {0, -1, -100}) {
      Queue<int> queue(maxsize);
      EXPECT_EQ(queue.maxsize(), 0U);
      for (int i = 0; i < 300; ++i) queue.put_nowait(i);
      EXPECT_FALSE(queue.full());
    }
    co_return;
  });
}

TEST(queue, refuses_what_would_have_to_wait_when_told_not_to) {
  on_one_loop([]() -> Coro<> {
    Queue<std::unique_ptr<int>> queue(1);
    EXPECT_THROW((void)queue.get_nowait(), QueueEmpty);
    auto first = std::make_unique<int>(1);
    auto second = std::make_unique<int>(2);
    queue.put_nowait(std::move(first));
    EXPECT_THROW(queue.put_nowait(std::move(second)), QueueFull);
    EXPECT_TRUE(second) << "what was refused is left as it was";
    EXPECT_EQ(*second, 2);
    EXPECT_EQ(*queue.get_nowait(), 1);
    co_return;
  });
}

TEST(queue, get_waits_for_an_item) {
  on_loops([]() -> Coro<> {
    Queue<int> queue;
    auto getter = create_task(get_one(queue));
    co_await waits(getter);
    EXPECT_FALSE(getter.done());
    queue.put_nowait(7);
    EXPECT_EQ(co_await getter, 7);
  });
}

TEST(queue, put_waits_for_a_place_and_the_getter_takes_its_item_in) {
  on_loops([]() -> Coro<> {
    Queue<int> queue(1);
    queue.put_nowait(1);
    auto putter = create_task(put_one(queue, 2));
    co_await waits(putter);
    EXPECT_EQ(queue.qsize(), 1U);
    EXPECT_EQ(queue.get_nowait(), 1);
    EXPECT_TRUE(queue.full()) << "the place is the waiting putter's";
    EXPECT_THROW(queue.put_nowait(3), QueueFull);
    EXPECT_EQ(co_await queue.get(), 2);
    co_await putter;
  });
}

TEST(queue, an_item_belongs_to_the_first_that_waits_for_it) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue;
    std::vector<Task<int>> getters;
    for (int i = 0; i < 4; ++i) getters.push_back(create_task(get_one(queue)));
    co_await waits(getters.back());
    queue.put_nowait(0);
    queue.put_nowait(1);
    EXPECT_THROW((void)queue.get_nowait(), QueueEmpty) << "both items have an owner";
    EXPECT_TRUE(queue.empty());
    queue.put_nowait(2);
    queue.put_nowait(3);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(co_await getters[static_cast<std::size_t>(i)], i);
  });
}

TEST(queue, putters_get_their_places_in_the_order_in_which_they_came) {
  on_one_loop([]() -> Coro<> {
    Queue<int> queue(1);
    std::vector<Task<>> putters;
    for (int i = 0; i < 5; ++i) putters.push_back(create_task(put_one(queue, i)));
    co_await waits(putters.back());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(co_await queue.get(), i);
    co_await gather(std::move(putters));
  });
}

TEST(queue, carries_what_can_only_be_moved) {
  on_loops([]() -> Coro<> {
    Queue<std::unique_ptr<std::string>> queue(1);
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task([&]() -> Coro<> {
        for (int i = 0; i < 50; ++i)
          co_await queue.put(std::make_unique<std::string>(std::to_string(i)));
      });
      for (int i = 0; i < 50; ++i) EXPECT_EQ(*co_await queue.get(), std::to_string(i));
    });
  });
}

TEST(queue, keeps_the_alignment_and_the_bytes_of_big_items) {
  on_one_loop([]() -> Coro<> {
    Queue<queue_kit::Wide> wide(3);
    LifoQueue<std::vector<std::string>> lists;
    for (int round = 0; round < 100; ++round) {
      co_await wide.put(queue_kit::Wide(round));
      const auto item = co_await wide.get();
      EXPECT_EQ(item.value, round);
      EXPECT_TRUE(item.aligned());
    }
    lists.put_nowait({"a", "b"});
    EXPECT_EQ(lists.get_nowait(), (std::vector<std::string>{"a", "b"}));
  });
}

TEST(queue, loses_nothing_but_an_item_whose_move_throws) {
  on_one_loop([]() -> Coro<> {
    using queue_kit::Throwing;
    {
      Queue<Throwing> queue(2);
      Throwing stubborn(1);
      stubborn.moves_left = 0;
      EXPECT_THROW(queue.put_nowait(std::move(stubborn)), std::runtime_error);
      EXPECT_TRUE(queue.empty());
      Throwing late(2);
      late.moves_left = 1;
      queue.put_nowait(std::move(late));
      queue.put_nowait(Throwing(3));
      EXPECT_THROW((void)queue.get_nowait(), std::runtime_error);
      EXPECT_EQ((co_await queue.get()).value, 3);
      queue.put_nowait(Throwing(4));
      EXPECT_EQ(queue.qsize(), 1U);
    }
    EXPECT_EQ(Throwing::alive, 0);
  });
}

TEST(queue, destroys_the_items_that_are_left_in_it) {
  on_one_loop([]() -> Coro<> {
    auto item = std::make_shared<int>(1);
    {
      Queue<std::shared_ptr<int>> queue;
      for (int i = 0; i < 200; ++i) queue.put_nowait(item);
      for (int i = 0; i < 70; ++i) (void)queue.get_nowait();
      EXPECT_EQ(item.use_count(), 131);
    }
    EXPECT_EQ(item.use_count(), 1);
    co_return;
  });
}

TEST(queue, keeps_every_item_between_many_putters_and_getters) {
  on_loops([]() -> Coro<> {
    Queue<int> queue(5);
    constexpr int each = 500;
    std::atomic<long> sum{0};
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (int p = 0; p < 6; ++p)
        group.create_task([&]() -> Coro<> {
          for (int i = 1; i <= each; ++i) co_await queue.put(i);
        });
      for (int g = 0; g < 3; ++g)
        group.create_task([&]() -> Coro<> {
          for (int i = 0; i < 2 * each; ++i) sum += co_await queue.get();
        });
      co_return;
    });
    EXPECT_EQ(sum.load(), 6L * each * (each + 1) / 2);
    EXPECT_TRUE(queue.empty());
  });
}

TEST(queue, takes_items_from_callbacks) {
  on_loops([]() -> Coro<> {
    Queue<int> queue(1);
    auto getter = create_task(get_one(queue));
    co_await waits(getter);
    get_running_loop().call_soon([&] { queue.put_nowait(5); });
    EXPECT_EQ(co_await getter, 5);
  });
}

TEST(queue, takes_items_from_threads_that_are_no_loop) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    Queue<int> queue;
    std::thread thread([&] {
      for (int i = 0; i < 1000; ++i) queue.put_nowait(i);
    });
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(co_await queue.get(), i);
    thread.join();
  });
}

TEST(queue, gives_items_to_threads_that_are_no_loop) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    Queue<int> queue(3);
    long sum = 0;
    std::thread thread([&] {
      for (int left = 1000; left > 0;) {
        try {
          sum += queue.get_nowait();
          --left;
        } catch (const QueueEmpty&) {
          std::this_thread::yield();
        }
      }
    });
    for (int i = 0; i < 1000; ++i) co_await queue.put(i);
    thread.join();
    EXPECT_EQ(sum, 999L * 1000 / 2);
  });
}

TEST(queue, operations_can_be_handed_on) {
  on_loops([]() -> Coro<> {
    Queue<std::string> queue(1);
    co_await thrown_by<TimeoutError>(wait_for(queue.get(), 1ms));
    co_await wait_for(queue.put("first"), 10s);
    co_await thrown_by<TimeoutError>(wait_for(queue.put("second"), 1ms));
    auto got = create_task(queue.get());
    EXPECT_EQ(co_await got, "first");
    auto [item, nothing] = co_await gather(queue.get(), queue.put("third"));
    EXPECT_EQ(item, "third");
    (void)nothing;
  });
}

// A getter that destroys the queue at once: whoever put the last item is done with it.
TEST(queue, may_be_destroyed_by_the_task_that_got_the_last_item) {
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 300; ++round) {
      Task<> putter;
      {
        auto queue = std::make_unique<Queue<int>>(1 + round % 3);
        putter = create_task(
            [](Queue<int>& to, int n) -> Coro<> {
              for (int i = 0; i < n; ++i) co_await to.put(i);
            },
            std::ref(*queue), 1 + round % 5);
        for (int i = 0; i < 1 + round % 5; ++i) EXPECT_EQ(co_await queue->get(), i);
      }
      co_await putter;
    }
  });
}

TEST(queue, refuses_those_who_still_wait_when_it_is_destroyed) {
  on_one_loop([]() -> Coro<> {
    auto queue = std::make_unique<Queue<int>>(1);
    auto getter = create_task(get_one(*queue));
    co_await waits(getter);
    queue.reset();
    co_await thrown_by<QueueShutDown>(getter);

    queue = std::make_unique<Queue<int>>(1);
    queue->put_nowait(1);
    auto putter = create_task(put_one(*queue, 2));
    auto joiner = create_task([](Queue<int>& q) -> Coro<> { co_await q.join(); }, std::ref(*queue));
    co_await waits(joiner);
    queue.reset();
    co_await thrown_by<QueueShutDown>(putter);
    co_await thrown_by<QueueShutDown>(joiner);
  });
}

}  // namespace
