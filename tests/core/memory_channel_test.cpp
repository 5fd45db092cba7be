// Memory channels: what Trio's promise, on every number of loops.
#include <algorithm>
#include <atomic>
#include <coil/cancel_scope.hpp>
#include <coil/loop.hpp>
#include <coil/memory_channel.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "queue_kit.hpp"

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using queue_kit::waits;
using namespace std::chrono_literals;

namespace {

using Sender = MemorySendChannel<int>;
using Receiver = MemoryReceiveChannel<int>;

Coro<> send_one(const Sender& sender, int value) { co_await sender.send(value); }
Coro<int> receive_one(const Receiver& receiver) { co_return co_await receiver.receive(); }
Coro<std::optional<int>> next_one(const Receiver& receiver) { co_return co_await receiver.next(); }
Coro<std::vector<int>> rest_of(const Receiver& receiver) {
  std::vector<int> values;
  while (auto value = co_await receiver.next()) values.push_back(*value);
  co_return values;
}

TEST(memory_channel, buffers_as_many_values_as_it_was_told) {
  on_loops([]() -> Coro<> {
    auto channel = open_memory_channel<int>(2);
    channel.sender.send_nowait(1);
    co_await channel.sender.send(2);
    EXPECT_THROW(channel.sender.send_nowait(3), WouldBlock);
    EXPECT_EQ(co_await channel.receiver.receive(), 1);
    EXPECT_EQ(channel.receiver.receive_nowait(), 2);
    EXPECT_THROW((void)channel.receiver.receive_nowait(), WouldBlock);
  });
}

TEST(memory_channel, takes_no_size_below_zero_and_no_fraction) {
  EXPECT_THROW((void)open_memory_channel<int>(-1), std::invalid_argument);
  EXPECT_THROW((void)open_memory_channel<int>(1.5), std::invalid_argument);
  EXPECT_THROW((void)open_memory_channel<int>(std::numeric_limits<double>::quiet_NaN()),
               std::invalid_argument);
}

TEST(memory_channel, without_a_bound_never_makes_a_sender_wait) {
  on_one_loop([]() -> Coro<> {
    std::vector<MemoryChannel<int>> channels;
    channels.push_back(open_memory_channel<int>(unbounded_buffer));
    channels.push_back(open_memory_channel<int>(std::numeric_limits<std::size_t>::max()));
    channels.push_back(open_memory_channel<int>(std::numeric_limits<double>::infinity()));
    for (auto& channel : channels) {
      for (int i = 0; i < 1000; ++i) channel.sender.send_nowait(i);
      channel.sender.close();
      const auto values = co_await rest_of(channel.receiver);
      EXPECT_EQ(values.size(), 1000U);
      EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
    }
  });
}

TEST(memory_channel, of_size_zero_makes_each_send_meet_its_receive) {
  on_loops([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(0);
    EXPECT_THROW(sender.send_nowait(1), WouldBlock);
    EXPECT_THROW((void)receiver.receive_nowait(), WouldBlock);
    auto sending = create_task(send_one(sender, 1));
    co_await waits(sending);
    EXPECT_FALSE(sending.done()) << "nobody has received it";
    EXPECT_EQ(receiver.receive_nowait(), 1);
    co_await sending;
    auto receiving = create_task(receive_one(receiver));
    co_await waits(receiving);
    sender.send_nowait(2);
    EXPECT_EQ(co_await receiving, 2);
    EXPECT_THROW((void)receiver.receive_nowait(), WouldBlock);
  });
}

TEST(memory_channel, ends_when_the_last_sender_is_closed_and_the_buffer_empty) {
  on_loops([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(2);
    sender.send_nowait(7);
    sender.close();
    EXPECT_THROW(sender.send_nowait(8), ClosedResourceError);
    co_await thrown_by<ClosedResourceError>(sender.send(8));
    EXPECT_THROW((void)sender.clone(), ClosedResourceError);
    sender.close();
    EXPECT_EQ(receiver.receive_nowait(), 7);
    co_await thrown_by<EndOfChannel>(receiver.receive());
    EXPECT_THROW((void)receiver.receive_nowait(), EndOfChannel);
    EXPECT_FALSE((co_await receiver.next()).has_value());
    receiver.close();
    co_await thrown_by<ClosedResourceError>(receiver.receive());
    co_await thrown_by<ClosedResourceError>(receiver.next());
    EXPECT_THROW((void)receiver.receive_nowait(), ClosedResourceError);
    receiver.close();
  });
}

TEST(memory_channel, closing_the_sender_wakes_those_who_wait_on_either_side) {
  on_loops([]() -> Coro<> {
    {
      auto [sender, receiver] = open_memory_channel<int>(0);
      auto sending = create_task(send_one(sender, 1));
      co_await waits(sending);
      sender.close();
      co_await thrown_by<ClosedResourceError>(sending);
      co_await thrown_by<EndOfChannel>(receiver.receive());
    }
    {
      auto [sender, receiver] = open_memory_channel<int>(0);
      auto receiving = create_task(receive_one(receiver));
      auto iterating = create_task(next_one(receiver));
      co_await waits(receiving);
      co_await waits(iterating);
      sender.close();
      co_await thrown_by<EndOfChannel>(receiving);
      EXPECT_FALSE((co_await iterating).has_value());
    }
  });
}

TEST(memory_channel, closing_the_receiver_breaks_those_who_send) {
  on_loops([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(0);
    auto sending = create_task(send_one(sender, 1));
    co_await waits(sending);
    receiver.close();
    co_await thrown_by<BrokenResourceError>(sending);
    co_await thrown_by<BrokenResourceError>(sender.send(2));
    EXPECT_THROW(sender.send_nowait(2), BrokenResourceError);
  });
}

TEST(memory_channel, closing_a_receiver_wakes_those_who_wait_in_it) {
  on_loops([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(0);
    auto receiving = create_task(receive_one(receiver));
    auto iterating = create_task(next_one(receiver));
    co_await waits(receiving);
    co_await waits(iterating);
    receiver.close();
    co_await thrown_by<ClosedResourceError>(receiving);
    co_await thrown_by<ClosedResourceError>(iterating);
  });
}

TEST(memory_channel, closing_one_sender_leaves_its_clones_alone) {
  on_loops([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(0);
    const Sender other = sender.clone();
    auto closed = create_task(send_one(sender, 1));
    co_await waits(closed);
    auto open = create_task(send_one(other, 2));
    co_await waits(open);
    sender.close();
    co_await thrown_by<ClosedResourceError>(closed);
    EXPECT_EQ(co_await receiver.receive(), 2);
    co_await open;
  });
}

TEST(memory_channel, closing_one_receiver_leaves_its_clones_alone) {
  on_loops([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(0);
    const Receiver other = receiver.clone();
    auto closed = create_task(receive_one(receiver));
    co_await waits(closed);
    auto open = create_task(receive_one(other));
    co_await waits(open);
    receiver.close();
    co_await thrown_by<ClosedResourceError>(closed);
    co_await sender.send(3);
    EXPECT_EQ(co_await open, 3);
  });
}

TEST(memory_channel, breaks_only_when_the_last_receiver_is_closed) {
  on_one_loop([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(10);
    Receiver second = receiver.clone();
    Receiver third = receiver.clone();
    sender.send_nowait(1);
    receiver.close();
    {
      const Receiver dropped = std::move(second);
    }
    EXPECT_THROW((void)receiver.clone(), ClosedResourceError);
    EXPECT_THROW((void)second.clone(), ClosedResourceError);
    sender.send_nowait(2);
    third.close();
    EXPECT_THROW(sender.send_nowait(3), BrokenResourceError);
    co_return;
  });
}

TEST(memory_channel, drops_what_nobody_can_receive_any_more) {
  on_one_loop([]() -> Coro<> {
    auto value = std::make_shared<int>(1);
    auto channel = open_memory_channel<std::shared_ptr<int>>(100);
    for (int i = 0; i < 100; ++i) channel.sender.send_nowait(value);
    channel.receiver.close();
    EXPECT_EQ(value.use_count(), 1);
    co_return;
  });
}

TEST(memory_channel, is_closed_by_the_handles_destructor) {
  on_loops([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(5);
    auto producer = [](Sender own) -> Coro<> {
      for (int i = 0; i < 20; ++i) co_await own.send(i);
    };
    auto producing = create_task(producer, std::move(sender));
    std::vector<int> expected(20);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(co_await rest_of(receiver), expected);
    co_await producing;
  });
}

TEST(memory_channel, a_handle_that_is_assigned_closes_what_it_was) {
  on_one_loop([]() -> Coro<> {
    auto first = open_memory_channel<int>(1);
    auto second = open_memory_channel<int>(1);
    first.sender = std::move(second.sender);
    EXPECT_THROW((void)first.receiver.receive_nowait(), EndOfChannel);
    first.sender.send_nowait(1);
    EXPECT_EQ(second.receiver.receive_nowait(), 1);
    EXPECT_THROW(second.sender.send_nowait(2), ClosedResourceError);
    Sender none;
    EXPECT_THROW(none.send_nowait(1), ClosedResourceError);
    none.close();
    co_return;
  });
}

TEST(memory_channel, serves_many_producers_each_with_a_clone) {
  on_loops([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(0);
    std::vector<int> got;
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < 10; ++i)
        group.create_task(
            [](Sender own, int n) -> Coro<> {
              for (int j = 3 * n; j < 3 * (n + 1); ++j) co_await own.send(j);
            },
            sender.clone(), i);
      sender.close();
      got = co_await rest_of(receiver);
    });
    std::sort(got.begin(), got.end());
    std::vector<int> expected(30);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(got, expected);
  });
}

TEST(memory_channel, shares_the_values_among_those_who_iterate) {
  on_one_loop([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(1);
    std::multiset<int> received;
    std::set<int> receivers;
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      std::vector<Task<>> tasks;
      for (int i = 0; i < 5; ++i)
        tasks.push_back(group.create_task([&, i]() -> Coro<> {
          while (auto value = co_await receiver.next()) {
            receivers.insert(i);
            received.insert(*value);
          }
        }));
      co_await waits(tasks.back());
      for (int i = 0; i < 10; ++i) co_await sender.send(i);
      sender.close();
    });
    EXPECT_EQ(receivers.size(), 5U);
    EXPECT_EQ(received.size(), 10U);
    EXPECT_EQ(std::set<int>(received.begin(), received.end()).size(), 10U);
  });
}

TEST(memory_channel, lets_nobody_pass_those_who_wait) {
  on_one_loop([]() -> Coro<> {
    {
      auto [sender, receiver] = open_memory_channel<int>(1);
      sender.send_nowait(1);
      EXPECT_EQ(receiver.receive_nowait(), 1);
      auto receiving = create_task(receive_one(receiver));
      co_await waits(receiving);
      sender.send_nowait(2);
      EXPECT_THROW((void)receiver.receive_nowait(), WouldBlock) << "it has an owner";
      EXPECT_EQ(co_await receiving, 2);
    }
    {
      auto [sender, receiver] = open_memory_channel<int>(1);
      sender.send_nowait(1);
      auto sending = create_task(send_one(sender, 2));
      co_await waits(sending);
      EXPECT_EQ(receiver.receive_nowait(), 1);
      EXPECT_THROW(sender.send_nowait(3), WouldBlock) << "the place has an owner";
      EXPECT_EQ(co_await receiver.receive(), 2);
      co_await sending;
    }
  });
}

TEST(memory_channel, tells_its_statistics) {
  on_one_loop([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(2);
    EXPECT_EQ(sender.statistics(), receiver.statistics());
    const MemoryChannelStatistics fresh{
        .max_buffer_size = 2, .open_send_channels = 1, .open_receive_channels = 1};
    EXPECT_EQ(sender.statistics(), fresh);
    EXPECT_EQ(sender.statistics().max_buffer_size, 2U);
    EXPECT_EQ(sender.statistics().current_buffer_used, 0U);
    sender.send_nowait(1);
    EXPECT_EQ(sender.statistics().current_buffer_used, 1U);
    Sender other = sender.clone();
    EXPECT_EQ(sender.statistics().open_send_channels, 2U);
    sender.close();
    EXPECT_EQ(other.statistics().open_send_channels, 1U);
    Receiver another = receiver.clone();
    EXPECT_EQ(other.statistics().open_receive_channels, 2U);
    another.close();
    other.send_nowait(2);
    auto first = create_task(send_one(other, 3));
    auto second = create_task(send_one(other, 4));
    co_await waits(first);
    co_await waits(second);
    EXPECT_EQ(other.statistics().tasks_waiting_send, 2U);
    first.cancel();
    second.cancel();
    co_await thrown_by<CancelledError>(first);
    co_await thrown_by<CancelledError>(second);
    EXPECT_EQ(other.statistics().tasks_waiting_send, 0U);
    (void)receiver.receive_nowait();
    (void)receiver.receive_nowait();
    auto third = create_task(receive_one(receiver));
    co_await waits(third);
    EXPECT_EQ(other.statistics().tasks_waiting_receive, 1U);
    third.cancel();
    co_await thrown_by<CancelledError>(third);
    EXPECT_EQ(receiver.statistics().tasks_waiting_receive, 0U);
  });
}

TEST(memory_channel, a_cancelled_send_or_receive_has_done_nothing) {
  on_loops([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(0);
    for (const bool by_scope : {true, false}) {
      if (by_scope) {
        EXPECT_TRUE((co_await move_on_after(1ms, [&]() -> Coro<> {
                      co_await sender.send(1);
                    })).cancelled_caught());
        EXPECT_TRUE((co_await move_on_after(1ms, [&]() -> Coro<> {
                      co_await receiver.receive();
                    })).cancelled_caught());
      } else {
        co_await thrown_by<TimeoutError>(wait_for(sender.send(1), 1ms));
        co_await thrown_by<TimeoutError>(wait_for(receiver.receive(), 1ms));
        co_await thrown_by<TimeoutError>(wait_for(receiver.next(), 1ms));
      }
      EXPECT_THROW((void)receiver.receive_nowait(), WouldBlock);
      EXPECT_THROW(sender.send_nowait(1), WouldBlock);
    }
  });
}

TEST(memory_channel, operations_may_outlive_the_handle_they_were_made_with) {
  on_one_loop([]() -> Coro<> {
    auto channel = open_memory_channel<std::string>(0);
    auto sending = create_task(channel.sender.send("late"));
    auto receiving = create_task(channel.receiver.receive());
    {
      const auto dropped = std::move(channel);
    }
    co_await thrown_by<ClosedResourceError>(sending);
    co_await thrown_by<ClosedResourceError>(receiving);
  });
}

TEST(memory_channel, a_task_may_wait_in_a_handle_that_is_dropped) {
  on_loops([]() -> Coro<> {
    auto channel = open_memory_channel<int>(0);
    auto sending = create_task(channel.sender.send(1));
    co_await waits(sending);
    auto receiving =
        create_task([](MemorySendChannel<int>) -> Coro<> { co_return; }, std::move(channel.sender));
    co_await thrown_by<ClosedResourceError>(sending);
    co_await receiving;
    EXPECT_FALSE((co_await channel.receiver.next()).has_value());
  });
}

TEST(memory_channel, carries_what_can_only_be_moved_and_gives_back_what_it_refuses) {
  on_loops([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<std::unique_ptr<int>>(1);
    co_await sender.send(std::make_unique<int>(1));
    auto refused = std::make_unique<int>(2);
    EXPECT_THROW(sender.send_nowait(std::move(refused)), WouldBlock);
    EXPECT_TRUE(refused);
    EXPECT_EQ(**(co_await receiver.next()), 1);
  });
}

TEST(memory_channel, takes_values_from_callbacks_and_threads) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    auto [sender, receiver] = open_memory_channel<int>(unbounded_buffer);
    get_running_loop().call_soon([own = sender.clone()] { own.send_nowait(1); });
    EXPECT_EQ(co_await receiver.receive(), 1);
    std::thread thread([own = std::move(sender)] {
      for (int i = 0; i < 1000; ++i) own.send_nowait(i);
      own.close();
    });
    EXPECT_EQ((co_await rest_of(receiver)).size(), 1000U);
    thread.join();
  });
}

}  // namespace
