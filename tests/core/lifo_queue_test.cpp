// LifoQueue: the last in is the first out; all else as Queue.
#include <coil/queue.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <string>

#include "queue_kit.hpp"

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using queue_kit::waits;

namespace {

TEST(lifo_queue, gives_the_last_item_first) {
  on_loops([]() -> Coro<> {
    LifoQueue<int> queue;
    for (const int item : {1, 3, 2}) co_await queue.put(item);
    EXPECT_EQ(co_await queue.get(), 2);
    EXPECT_EQ(co_await queue.get(), 3);
    EXPECT_EQ(queue.get_nowait(), 1);
    EXPECT_THROW((void)queue.get_nowait(), QueueEmpty);
  });
}

TEST(lifo_queue, grows_and_shrinks_without_losing_anything) {
  on_one_loop([]() -> Coro<> {
    LifoQueue<std::string> queue;
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 1000; ++i) queue.put_nowait(std::to_string(i));
      EXPECT_EQ(queue.qsize(), 1000U);
      for (int i = 999; i >= 0; --i) EXPECT_EQ(queue.get_nowait(), std::to_string(i));
    }
    for (int i = 0; i < 200; ++i) queue.put_nowait("left in it");
    co_return;
  });
}

TEST(lifo_queue, makes_putters_wait_and_lets_the_first_of_them_in) {
  on_loops([]() -> Coro<> {
    LifoQueue<int> queue(2);
    queue.put_nowait(1);
    queue.put_nowait(2);
    EXPECT_THROW(queue.put_nowait(3), QueueFull);
    auto third = create_task([&]() -> Coro<> { co_await queue.put(3); });
    co_await waits(third);
    auto fourth = create_task([&]() -> Coro<> { co_await queue.put(4); });
    co_await waits(fourth);
    EXPECT_EQ(co_await queue.get(), 2);
    EXPECT_EQ(co_await queue.get(), 3);
    EXPECT_EQ(co_await queue.get(), 4);
    EXPECT_EQ(co_await queue.get(), 1);
    co_await third;
    co_await fourth;
  });
}

TEST(lifo_queue, joins_and_shuts_down) {
  on_loops([]() -> Coro<> {
    LifoQueue<std::string> queue;
    auto getter = create_task([&]() -> Coro<std::string> { co_return co_await queue.get(); });
    co_await waits(getter);
    queue.put_nowait("handed over");
    EXPECT_EQ(co_await getter, "handed over");
    queue.task_done();
    co_await queue.join();
    for (int i = 0; i < 100; ++i) queue.put_nowait(std::to_string(i));
    queue.shutdown(true);
    co_await queue.join();
    EXPECT_TRUE(queue.empty());
    co_await thrown_by<QueueShutDown>(queue.get());
  });
}

}  // namespace
