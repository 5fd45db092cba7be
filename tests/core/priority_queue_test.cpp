// PriorityQueue: the smallest comes out first; comparisons that throw lose nothing.
#include <algorithm>
#include <coil/queue.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <functional>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "queue_kit.hpp"

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using queue_kit::waits;

namespace {

TEST(priority_queue, gives_the_smallest_first) {
  on_loops([]() -> Coro<> {
    PriorityQueue<int> queue;
    for (const int item : {1, 3, 2}) co_await queue.put(item);
    for (int i = 1; i <= 3; ++i) EXPECT_EQ(co_await queue.get(), i);
    PriorityQueue<std::tuple<int, std::string>> tasks;
    tasks.put_nowait({2, "later"});
    tasks.put_nowait({1, "now"});
    EXPECT_EQ(std::get<1>(tasks.get_nowait()), "now");
  });
}

TEST(priority_queue, takes_another_order) {
  on_one_loop([]() -> Coro<> {
    PriorityQueue<int, std::greater<>> queue(5);
    for (const int item : {1, 3, 2}) queue.put_nowait(item);
    for (int i = 3; i >= 1; --i) EXPECT_EQ(queue.get_nowait(), i);
    const std::vector<int> rank{2, 0, 1};
    const auto by_rank = [&rank](int a, int b) {
      return rank[static_cast<std::size_t>(a)] < rank[static_cast<std::size_t>(b)];
    };
    PriorityQueue<int, decltype(by_rank)> ranked(0, by_rank);
    for (int i = 0; i < 3; ++i) ranked.put_nowait(i);
    EXPECT_EQ(ranked.get_nowait(), 1);
    EXPECT_EQ(ranked.get_nowait(), 2);
    EXPECT_EQ(ranked.get_nowait(), 0);
    co_return;
  });
}

TEST(priority_queue, agrees_with_a_sorted_set_whatever_is_put_and_taken) {
  on_one_loop([]() -> Coro<> {
    std::mt19937 random(5);
    for (int round = 0; round < 50; ++round) {
      PriorityQueue<int> queue;
      std::multiset<int> model;
      for (int step = 0; step < 500; ++step) {
        if (model.empty() || random() % 5 < 3) {
          const int item = static_cast<int>(random() % 100);
          queue.put_nowait(item);
          model.insert(item);
        } else {
          EXPECT_EQ(queue.get_nowait(), *model.begin());
          model.erase(model.begin());
        }
        EXPECT_EQ(queue.qsize(), model.size());
      }
    }
    co_return;
  });
}

TEST(priority_queue, gives_a_place_to_the_first_putter_and_not_to_the_smallest) {
  on_loops([]() -> Coro<> {
    PriorityQueue<int> queue(1);
    queue.put_nowait(5);
    auto third = create_task([&]() -> Coro<> { co_await queue.put(7); });
    co_await waits(third);
    auto fourth = create_task([&]() -> Coro<> { co_await queue.put(1); });
    co_await waits(fourth);
    EXPECT_EQ(co_await queue.get(), 5);
    EXPECT_EQ(co_await queue.get(), 7);
    EXPECT_EQ(co_await queue.get(), 1);
    co_await third;
    co_await fourth;
  });
}

// Refuses to compare 13.
struct Superstitious {
  bool operator()(int a, int b) const {
    if (a == 13 || b == 13) throw std::runtime_error("13");
    return a < b;
  }
};

TEST(priority_queue, loses_nothing_when_a_comparison_throws) {
  on_one_loop([]() -> Coro<> {
    PriorityQueue<int, Superstitious> queue(4);
    for (const int item : {3, 1, 2}) queue.put_nowait(item);
    EXPECT_THROW(queue.put_nowait(13), std::runtime_error);
    co_await thrown_by<std::runtime_error>(queue.put(13));
    EXPECT_EQ(queue.qsize(), 3U);
    for (int i = 1; i <= 3; ++i) EXPECT_EQ(co_await queue.get(), i);
    queue.put_nowait(13);  // alone: nothing to compare with
    EXPECT_EQ(queue.get_nowait(), 13);
  });
}

TEST(priority_queue, gives_a_putter_that_waited_the_error_of_its_own_comparison) {
  on_loops([]() -> Coro<> {
    PriorityQueue<int, Superstitious> queue(2);
    queue.put_nowait(1);
    queue.put_nowait(2);
    auto unlucky = create_task([&]() -> Coro<> { co_await queue.put(13); });
    co_await waits(unlucky);
    auto lucky = create_task([&]() -> Coro<> { co_await queue.put(4); });
    co_await waits(lucky);
    EXPECT_EQ(co_await queue.get(), 1);
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(unlucky), "13");
    co_await lucky;
    EXPECT_EQ(co_await queue.get(), 2);
    EXPECT_EQ(co_await queue.get(), 4);
  });
}

TEST(priority_queue, carries_items_whose_moves_throw) {
  on_one_loop([]() -> Coro<> {
    using queue_kit::Throwing;
    {
      PriorityQueue<Throwing> queue;
      for (const int value : {5, 2, 8, 1, 9, 3}) queue.put_nowait(Throwing(value));
      Throwing stubborn(0);
      stubborn.moves_left = 1;
      queue.put_nowait(std::move(stubborn));
      EXPECT_THROW((void)queue.get_nowait(), std::runtime_error);
      for (const int value : {1, 2, 3, 5, 8}) EXPECT_EQ((co_await queue.get()).value, value);
    }
    EXPECT_EQ(Throwing::alive, 0);
  });
}

TEST(priority_queue, joins_and_shuts_down) {
  on_loops([]() -> Coro<> {
    PriorityQueue<int> queue(3);
    for (int i = 0; i < 3; ++i) queue.put_nowait(i);
    auto putter = create_task([&]() -> Coro<> { co_await queue.put(4); });
    auto joiner = create_task([&]() -> Coro<> { co_await queue.join(); });
    co_await waits(putter);
    co_await waits(joiner);
    queue.shutdown();
    co_await thrown_by<QueueShutDown>(putter);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(co_await queue.get(), i);
      queue.task_done();
    }
    co_await joiner;
    co_await thrown_by<QueueShutDown>(queue.get());
  });
}

}  // namespace
