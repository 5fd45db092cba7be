// Queues and channels under everything at once: random puts and gets, with and without waiting,
// cancelled by tasks, scopes and timeouts, shut down and closed, on 1 to 8 loops.
//
// What must hold: an item whose put succeeded is got exactly once, or was dropped by an immediate
// shutdown; one whose put failed is never got; of one producer's items each consumer of a FIFO sees
// a growing sequence; and nobody sleeps while there is work for him: when the producers have ended
// and join() has returned the queue is empty, and after the shutdown everybody ends.
//
// COIL_STRESS=N: steps for each kind and number of loops. With COIL_BACKEND=sim instead,
// COIL_SEEDS=N: seeds for each kind; the one that fails is printed, and COIL_SIM_SEED=S runs it
// alone.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/cancel_scope.hpp>
#include <coil/memory_channel.hpp>
#include <coil/queue.hpp>
#include <coil/run.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <kit/environment.hpp>
#include <kit/loops.hpp>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace coil;

namespace {

using Random = std::mt19937;
int draw(Random& random, int below) {
  return static_cast<int>(random() % static_cast<unsigned>(below));
}

struct Item {
  int producer = 0;
  int number = 0;
  // PriorityQueue: any order will do.
  friend bool operator<(const Item& a, const Item& b) { return (a.number ^ 5) < (b.number ^ 5); }
};

struct Fate {
  std::atomic<int> taken{0};
  bool put = false;  // the producer's
};

struct Plan {
  unsigned seed = 0;
  int producers = 3;
  int consumers = 3;
  int steps = 1000;  // puts of each producer
  // Cancels come until so many steps are done: later ones would wake who was left asleep.
  long cancels_until = 0;
  bool fifo = true;
  bool early_end = false;
  bool immediate = false;
};

struct Episode {
  explicit Episode(const Plan& p) : plan(p) {
    for (int i = 0; i < plan.producers; ++i)
      fates.push_back(std::vector<Fate>(static_cast<std::size_t>(plan.steps)));
  }
  Fate& fate(const Item& item) {
    return fates[static_cast<std::size_t>(item.producer)][static_cast<std::size_t>(item.number)];
  }
  void check() {
    long put = 0;
    long lost = 0;
    for (auto& mine : fates)
      for (auto& fate : mine) {
        const int taken = fate.taken.load();
        put += fate.put ? 1 : 0;
        lost += fate.put && taken == 0 ? 1 : 0;
        if (taken > (fate.put ? 1 : 0)) ++wrong;
      }
    if (!dropped) wrong += lost;
    EXPECT_EQ(wrong.load(), 0) << "items got twice, out of order, lost, or never put; of " << put;
  }

  Plan plan;
  std::vector<std::vector<Fate>> fates;
  std::atomic<int> started{0};
  std::atomic<long> steps_done{0};
  std::atomic<bool> stop{false};
  std::atomic<bool> dropped{false};
  std::atomic<long> wrong{0};
};

// The ends that workers hold. Ended: what tells them that it is over.
template <class Q>
struct QueueEnd {
  Q* queue;
  auto put(Item item) const { return queue->put(item); }
  auto get() const { return queue->get(); }
  void put_nowait(Item item) const { queue->put_nowait(item); }
  Item get_nowait() const { return queue->get_nowait(); }
  void done() const { queue->task_done(); }
  void renew() const {}
};
struct SendEnd {
  MemorySendChannel<Item> sender;
  auto put(Item item) const { return sender.send(item); }
  void put_nowait(Item item) const { sender.send_nowait(item); }
  void renew() { sender = sender.clone(); }
};
struct ReceiveEnd {
  MemoryReceiveChannel<Item> receiver;
  auto get() const { return receiver.receive(); }
  Item get_nowait() const { return receiver.receive_nowait(); }
  void done() const {}
  void renew() { receiver = receiver.clone(); }
};

Duration some_time(Random& random) { return std::chrono::microseconds(draw(random, 40)); }

void absorb_cancel() {
  while (current_task().uncancel() > 0) {
  }
}

// False: the queue takes no more.
template <class End>
Coro<bool> put_somehow(End& end, Item item, bool& put, Random& random) {
  try {
    switch (draw(random, 8)) {
      case 0:
        end.put_nowait(item);
        break;
      case 1:
        co_await wait_for(end.put(item), some_time(random));
        break;
      case 2: {
        co_await move_on_after(some_time(random), [&]() -> Coro<> {
          co_await end.put(item);
          put = true;
        });
        co_return true;
      }
      case 3:
        co_await checkpoint();
        [[fallthrough]];
      default:
        co_await end.put(item);
    }
    put = true;
  } catch (const CancelledError&) {
    absorb_cancel();
  } catch (const TimeoutError&) {
  } catch (const QueueFull&) {
  } catch (const WouldBlock&) {
  } catch (const QueueShutDown&) {
    co_return false;
  } catch (const BrokenResourceError&) {
    co_return false;
  }
  co_return true;
}

template <class End>
Coro<> produce(Episode& episode, End end, int me) {
  Random random(episode.plan.seed * 31 + static_cast<unsigned>(me));
  ++episode.started;
  for (int i = 0; i < episode.plan.steps; ++i) {
    const Item item{.producer = me, .number = i};
    bool put = false;
    const bool more = co_await put_somehow(end, item, put, random);
    episode.fate(item).put = put;
    ++episode.steps_done;
    if (!more) break;
    if (draw(random, 50) == 0) end.renew();
  }
}

template <class End>
Coro<bool> get_somehow(End& end, std::optional<Item>& got, Random& random) {
  try {
    switch (draw(random, 8)) {
      case 0:
        got = end.get_nowait();
        break;
      case 1:
        got = co_await wait_for(end.get(), some_time(random));
        break;
      case 2:
        co_await move_on_after(some_time(random), [&]() -> Coro<> { got = co_await end.get(); });
        break;
      case 3:
        co_await checkpoint();
        [[fallthrough]];
      default:
        got = co_await end.get();
    }
  } catch (const CancelledError&) {
    absorb_cancel();
  } catch (const TimeoutError&) {
  } catch (const QueueEmpty&) {
  } catch (const WouldBlock&) {
  } catch (const QueueShutDown&) {
    co_return false;
  } catch (const EndOfChannel&) {
    co_return false;
  }
  co_return true;
}

template <class End>
Coro<> consume(Episode& episode, End end, int me) {
  Random random(episode.plan.seed * 37 + 1000 + static_cast<unsigned>(me));
  std::vector<int> last(static_cast<std::size_t>(episode.plan.producers), -1);
  ++episode.started;
  for (;;) {
    std::optional<Item> got;
    const bool more = co_await get_somehow(end, got, random);
    ++episode.steps_done;
    if (got) {
      ++episode.fate(*got).taken;
      int& seen = last[static_cast<std::size_t>(got->producer)];
      if (episode.plan.fifo && got->number <= seen) ++episode.wrong;
      seen = got->number;
      end.done();
    }
    if (!more) break;
    if (draw(random, 50) == 0) end.renew();
  }
}

// Cancels this one and that one all the time.
Coro<> cancel_now_and_then(Episode& episode, std::vector<TaskRef> victims) {
  Random random(episode.plan.seed + 7);
  while (episode.started < static_cast<int>(victims.size()))
    co_await sleep(std::chrono::microseconds(10));
  while (!episode.stop && episode.steps_done < episode.plan.cancels_until) {
    victims[static_cast<std::size_t>(draw(random, static_cast<int>(victims.size())))].cancel();
    co_await sleep(std::chrono::microseconds(draw(random, 30)));
  }
}

Coro<> all_done(std::vector<Task<>>& tasks) {
  for (auto& task : tasks) co_await task;
}

struct Workers {
  std::vector<Task<>> producers;
  std::vector<Task<>> consumers;
  [[nodiscard]] Task<> cancelled_by_someone(Episode& episode) const {
    std::vector<TaskRef> victims(producers.begin(), producers.end());
    victims.insert(victims.end(), consumers.begin(), consumers.end());
    return create_task(cancel_now_and_then(episode, std::move(victims)));
  }
};

template <class Q>
Coro<> queue_episode(Episode& episode, int maxsize) {
  Q queue(maxsize);
  Workers workers;
  for (int i = 0; i < episode.plan.producers; ++i)
    workers.producers.push_back(create_task(produce(episode, QueueEnd<Q>{&queue}, i)));
  for (int i = 0; i < episode.plan.consumers; ++i)
    workers.consumers.push_back(create_task(consume(episode, QueueEnd<Q>{&queue}, i)));
  auto canceller = workers.cancelled_by_someone(episode);
  if (episode.plan.early_end) {
    const long when = episode.plan.steps;
    while (episode.steps_done < when) co_await sleep(std::chrono::microseconds(20));
    episode.dropped = episode.plan.immediate;
    queue.shutdown(episode.plan.immediate);
  }
  co_await all_done(workers.producers);
  co_await queue.join();
  EXPECT_TRUE(queue.empty());
  queue.shutdown();
  co_await all_done(workers.consumers);
  episode.stop = true;
  co_await canceller;
  EXPECT_THROW(queue.task_done(), std::invalid_argument);
}

Coro<> channel_episode(Episode& episode, int size) {
  auto channel = open_memory_channel<Item>(size);
  Workers workers;
  for (int i = 0; i < episode.plan.producers; ++i)
    workers.producers.push_back(create_task(produce(episode, SendEnd{channel.sender.clone()}, i)));
  for (int i = 0; i < episode.plan.consumers; ++i)
    workers.consumers.push_back(
        create_task(consume(episode, ReceiveEnd{channel.receiver.clone()}, i)));
  channel.sender.close();
  auto canceller = workers.cancelled_by_someone(episode);
  co_await all_done(workers.producers);
  workers.producers.clear();
  co_await all_done(workers.consumers);
  EXPECT_EQ(channel.receiver.statistics().open_send_channels, 0U);
  EXPECT_EQ(channel.receiver.statistics().current_buffer_used, 0U);
  episode.stop = true;
  co_await canceller;
}

constexpr int kinds = 9;
constexpr const char* kind_names[kinds] = {
    "Queue of 1",         "Queue of 3",   "Queue of 64",  "unbounded Queue", "LifoQueue of 4",
    "PriorityQueue of 4", "channel of 0", "channel of 1", "channel of 7"};

Coro<> run_kind(Episode& episode, int kind) {
  switch (kind) {
    case 0:
      return queue_episode<Queue<Item>>(episode, 1);
    case 1:
      return queue_episode<Queue<Item>>(episode, 3);
    case 2:
      return queue_episode<Queue<Item>>(episode, 64);
    case 3:
      return queue_episode<Queue<Item>>(episode, 0);
    case 4:
      return queue_episode<LifoQueue<Item>>(episode, 4);
    case 5:
      return queue_episode<PriorityQueue<Item>>(episode, 4);
    case 6:
      return channel_episode(episode, 0);
    case 7:
      return channel_episode(episode, 1);
    default:
      return channel_episode(episode, 7);
  }
}

Plan plan_of(unsigned seed, int kind, int steps) {
  Random random(seed);
  const int producers = 1 + draw(random, 5);
  return {.seed = seed,
          .producers = producers,
          .consumers = 1 + draw(random, 5),
          .steps = steps,
          .cancels_until = draw(random, 3) == 0 ? 0 : draw(random, producers * steps),
          .fifo = kind != 4 && kind != 5,
          .early_end = kind < 6 && draw(random, 4) == 0,
          .immediate = draw(random, 2) == 0};
}

long wanted(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atol(text) : otherwise;
}

TEST(queue_random_stress, loses_and_doubles_nothing_and_leaves_nobody_asleep) {
  if (kit::simulated()) GTEST_SKIP() << "the simulation has a test of its own";
  const long steps = wanted("COIL_STRESS", 20'000);
  for (const int loops : {1, 2, 4, 8}) {
    for (int kind = 0; kind < kinds; ++kind) {
      SCOPED_TRACE(std::string(kind_names[kind]) + ", loops: " + std::to_string(loops));
      const kit::Watchdog watchdog(std::chrono::seconds(60 + steps / 10'000));
      Runner runner({.loops = loops});
      long done = 0;
      for (unsigned seed = 1; done < steps; ++seed) {
        Episode episode(plan_of(seed, kind, 2000));
        runner.run([&]() -> Coro<> { return run_kind(episode, kind); });
        episode.check();
        done += episode.steps_done;
      }
    }
  }
}

volatile std::sig_atomic_t seed_under_test = 0;

TEST(queue_random_stress, holds_in_simulation_for_every_seed) {
  if (!kit::simulated()) GTEST_SKIP() << "set COIL_BACKEND=sim";
  std::signal(SIGABRT, [](int) {
    std::fprintf(stderr, "COIL_SIM_SEED=%d\n", static_cast<int>(seed_under_test));
  });
  unsigned first = 1;
  auto last = static_cast<unsigned>(wanted("COIL_SEEDS", 40) * kinds);
  if (const char* only = std::getenv("COIL_SIM_SEED")) {
    first = last = static_cast<unsigned>(std::atol(only));
  }
  for (unsigned seed = first; seed <= last; ++seed) {
    const kit::Watchdog watchdog;
    seed_under_test = static_cast<int>(seed);
    const std::string text = std::to_string(seed);
    SCOPED_TRACE("COIL_SIM_SEED=" + text);
    const kit::EnvironmentVariable seeded("COIL_SIM_SEED", text.c_str());
    const int kind = static_cast<int>(seed) % kinds;
    Episode episode(plan_of(seed, kind, 60));
    try {
      coil::run(run_kind(episode, kind), {.loops = 1 + static_cast<int>(seed / kinds) % 8});
    } catch (const std::exception& error) {
      ADD_FAILURE() << kind_names[kind] << ": " << error.what();
    }
    episode.check();
    if (::testing::Test::HasFailure()) {
      std::fprintf(stderr, "failed with COIL_SIM_SEED=%u\n", seed);
      break;
    }
  }
}

}  // namespace
