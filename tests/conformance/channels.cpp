// Memory channels and capacity limiters (Trio).
#include <algorithm>
#include <atomic>
#include <mutex>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

SCENARIO(what_is_sent_is_received_in_order) {
  auto [sender, receiver] = open_memory_channel<int>(3);
  for (int i = 0; i < 3; ++i) co_await sender.send(i);
  std::vector<int> got;
  for (int i = 0; i < 3; ++i) got.push_back(co_await receiver.receive());
  log(got);
}

SCENARIO(without_a_buffer_the_sender_waits_for_the_receiver) {
  auto channel = open_memory_channel<std::string>(0);
  auto send = [&]() -> Coro<> {
    co_await channel.sender.send("it");
    log("sent at", passed());
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(send());
    co_await tick(3);
    log("received", co_await channel.receiver.receive());
    co_await tick();
  });
}

SCENARIO(iteration_ends_when_the_sender_is_closed) {
  auto [sender, receiver] = open_memory_channel<int>(0);
  auto produce = [](MemorySendChannel<int> own) -> Coro<> {
    for (int i = 0; i < 3; ++i) co_await own.send(i);
  };
  auto consume = [](MemoryReceiveChannel<int> own) -> Coro<> {
    while (auto value = co_await own.next()) log("got", *value);
  };
  co_await gather(produce(std::move(sender)), consume(std::move(receiver)));
  log("end");
}

SCENARIO(what_is_buffered_can_be_received_after_the_close) {
  auto [sender, receiver] = open_memory_channel<int>(5);
  co_await sender.send(1);
  co_await sender.send(2);
  sender.close();
  const int first = co_await receiver.receive();
  log(first, co_await receiver.receive());
  log(co_await outcome(receiver.receive()));
  try {
    (void)receiver.receive_nowait();
  } catch (...) {
    log("nowait: raised " + kind());
  }
}

SCENARIO(sending_to_nobody_is_broken) {
  auto channel = open_memory_channel<int>(5);
  channel.receiver.close();
  log(co_await outcome(channel.sender.send(1)));
  log("nowait:", attempt([&] { channel.sender.send_nowait(1); }));
}

SCENARIO(a_closed_handle_cannot_be_used) {
  auto channel = open_memory_channel<int>(5);
  channel.sender.close();
  channel.sender.close();
  log(co_await outcome(channel.sender.send(1)));
  log("clone:", attempt([&] { (void)channel.sender.clone(); }));
  channel.receiver.close();
  log(co_await outcome(channel.receiver.receive()));
}

SCENARIO(closing_a_receiver_wakes_a_waiting_sender) {
  auto channel = open_memory_channel<std::string>(0);
  auto send = [&]() -> Coro<> {
    const auto ended = co_await outcome(channel.sender.send("lost"));
    log(ended, "at", passed());
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(send());
    co_await tick(2);
    channel.receiver.close();
  });
}

SCENARIO(closing_a_sender_wakes_a_waiting_receiver) {
  auto channel = open_memory_channel<std::string>(0);
  auto receive = [&]() -> Coro<> {
    const auto ended = co_await outcome(channel.receiver.receive());
    log(ended, "at", passed());
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(receive());
    co_await tick(2);
    channel.sender.close();
  });
}

SCENARIO(closing_the_handle_that_waits_says_so) {
  auto channel = open_memory_channel<std::string>(0);
  auto receive = [&]() -> Coro<> { log(co_await outcome(channel.receiver.receive())); };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(receive());
    co_await tick();
    channel.receiver.close();
  });
}

SCENARIO(a_channel_is_open_until_its_last_clone_is_closed) {
  auto [sender, receiver] = open_memory_channel<std::string>(5);
  auto other = sender.clone();
  sender.close();
  co_await other.send("by the clone");
  log(co_await receiver.receive());
  other.close();
  log(co_await outcome(receiver.receive()));
}

SCENARIO(many_producers_and_one_consumer) {
  auto channel = open_memory_channel<int>(0);
  auto produce = [](MemorySendChannel<int> own, int base) -> Coro<> {
    for (int i = 0; i < 5; ++i) co_await own.send(base + i);
  };
  std::vector<int> got;
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    for (const int base : {0, 100, 200}) group.create_task(produce(channel.sender.clone(), base));
    channel.sender.close();
    while (auto value = co_await channel.receiver.next()) got.push_back(*value);
  });
  std::sort(got.begin(), got.end());
  log(got);
}

SCENARIO(every_value_goes_to_one_consumer) {
  auto channel = open_memory_channel<int>(2);
  std::mutex mutex;
  std::vector<int> got;
  auto consume = [&](MemoryReceiveChannel<int> own) -> Coro<> {
    while (auto value = co_await own.next()) {
      {
        const std::lock_guard lock(mutex);
        got.push_back(*value);
      }
      co_await tick();
    }
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    for (int i = 0; i < 3; ++i) group.create_task(consume(channel.receiver.clone()));
    channel.receiver.close();
    for (int i = 0; i < 10; ++i) co_await channel.sender.send(i);
    channel.sender.close();
  });
  std::sort(got.begin(), got.end());
  log(got);
}

SCENARIO(nowait_says_so_when_it_would_have_to_wait) {
  auto channel = open_memory_channel<int>(1);
  log("receive:", attempt([&] { return channel.receiver.receive_nowait(); }));
  log("send:", attempt([&] { channel.sender.send_nowait(1); }));
  log("send:", attempt([&] { channel.sender.send_nowait(2); }));
  log("receive:", attempt([&] { return channel.receiver.receive_nowait(); }));
  co_return;
}

SCENARIO(a_cancelled_receive_takes_nothing) {
  auto channel = open_memory_channel<int>(0);
  (void)co_await move_on_after(ticks(1),
                               [&]() -> Coro<> { (void)co_await channel.receiver.receive(); });
  log("would block:", attempt([&] { channel.sender.send_nowait(1); }));
}

SCENARIO(a_cancelled_send_sends_nothing) {
  auto channel = open_memory_channel<std::string>(0);
  (void)co_await move_on_after(ticks(1),
                               [&]() -> Coro<> { co_await channel.sender.send("never"); });
  log("would block:", attempt([&] { return channel.receiver.receive_nowait(); }));
}

SCENARIO(a_buffer_has_no_negative_size) {
  log(attempt([] { (void)open_memory_channel<int>(-1); }));
  co_return;
}

SCENARIO(a_limiter_lets_so_many_in) {
  CapacityLimiter limiter(2);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  auto job = [&]() -> Coro<> {
    auto token = co_await limiter.scoped();
    const int now = ++inside;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    co_await tick();
    --inside;
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    for (int i = 0; i < 6; ++i) group.create_task(job());
    co_return;
  });
  log("most", most.load(), "over at", passed(), "borrowed", limiter.borrowed_tokens());
}

SCENARIO(a_token_is_borrowed_once_by_a_task) {
  CapacityLimiter limiter(2);
  auto again = [&]() -> Coro<std::string> {
    try {
      co_await limiter.acquire();
    } catch (const RuntimeError&) {
      co_return "refused";
    }
    co_return "taken";
  };
  {
    auto token = co_await limiter.scoped();
    log("borrowed", limiter.borrowed_tokens(), "available", limiter.available_tokens());
    log(co_await outcome(again()));
  }
  log("release:", attempt([&] { limiter.release(); }));
}

SCENARIO(a_limiter_can_be_widened) {
  CapacityLimiter limiter(1);
  auto job = [&]() -> Coro<> {
    {
      auto token = co_await limiter.scoped();
      co_await tick(2);
    }
    log("done at", passed());
  };
  co_await with_task_group([&](TaskGroup& group) -> Coro<> {
    for (int i = 0; i < 3; ++i) group.create_task(job());
    co_await tick(1);
    limiter.set_total_tokens(3);
  });
  log("total", limiter.total_tokens());
}

SCENARIO(a_limiter_without_tokens_blocks_nowait) {
  CapacityLimiter limiter(1);
  const int somebody = 0;
  log(attempt([&] { limiter.acquire_nowait(); }));
  log(attempt([&] { limiter.acquire_on_behalf_of_nowait(&somebody); }));
  limiter.release();
  log(attempt([&] { limiter.acquire_on_behalf_of_nowait(&somebody); }));
  log("borrowed", limiter.borrowed_tokens());
  co_return;
}
