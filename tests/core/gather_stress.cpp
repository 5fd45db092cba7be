// gather against everything at once: children of every kind that end on any loop or thread at any
// time, awaiters that are cancelled meanwhile. COIL_STRESS=N sets the number of rounds.
//
// What must hold: each gather ends, with the results, the first error or a CancelledError, and
// with nothing else; a cancel that was accepted is delivered once; no child and no result is left.
#include <atomic>
#include <coil/cancel_scope.hpp>
#include <coil/future.hpp>
#include <coil/gather.hpp>
#include <coil/shield.hpp>
#include <coil/task.hpp>
#include <cstdlib>
#include <kit/loops.hpp>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace coil;

namespace {

std::atomic<long> live_values{0};

struct Value {
  explicit Value(int n) : number(n) { ++live_values; }
  Value(const Value& other) : number(other.number) { ++live_values; }
  Value& operator=(const Value&) = default;
  ~Value() { --live_values; }
  int number;
};
struct Expected : std::runtime_error {
  Expected() : std::runtime_error("expected") {}
};

using Random = std::mt19937;
int draw(Random& random, int below) {
  return static_cast<int>(random() % static_cast<unsigned>(below));
}

Coro<Value> child(int kind, int delay) {
  if (delay % 3 == 0) co_await kit::yield(delay % 4);
  if (delay % 3 == 1) co_await sleep(std::chrono::microseconds(delay));
  if (kind == 0) throw Expected();
  if (kind == 1) {
    try {
      co_await sleep_forever();
    } catch (const CancelledError&) {
      if (delay % 2 == 0) throw;
    }
  }
  co_return Value(delay);
}

// Completes futures from a thread of its own, somehow and sometime.
struct Completer {
  explicit Completer(unsigned seed) : random(seed) {}
  void complete(const std::vector<Future<Value>>& futures) {
    for (const auto& future : futures) {
      for (int i = draw(random, 200); i > 0; --i) std::this_thread::yield();
      switch (draw(random, 5)) {
        case 0:
          future.try_set_exception(Expected());
          break;
        case 1:
          future.cancel("future");
          break;
        default:
          future.try_set_result(1);
      }
    }
  }
  Random random;
};

// One gather over tasks, fresh coroutines and futures; true if it was cancelled.
Coro<bool> one_gather(std::vector<Future<Value>> futures, unsigned seed, bool all) {
  Random random(seed);
  std::vector<Future<Value>> children = std::move(futures);
  for (int i = draw(random, 6); i > 0; --i)
    children.push_back(create_task(child(draw(random, 12) + 1, draw(random, 40))));
  if (draw(random, 3) == 0) children.push_back(create_task(child(0, draw(random, 40))));
  if (!children.empty() && draw(random, 2) == 0) children.push_back(children.front());
  // Kind 1 waits to be cancelled: without somebody who does, the gather would never end.
  auto waker = create_task([children, delay = draw(random, 60)]() -> Coro<> {
    co_await sleep(std::chrono::microseconds(delay));
    for (const auto& each : children) each.cancel();
  });
  bool cancelled = false;
  try {
    if (all) {
      for (auto& result : co_await gather_results(children)) {
        if (!result) EXPECT_NE(result.error(), nullptr);
      }
    } else {
      const auto values = co_await gather(children);
      EXPECT_EQ(values.size(), children.size());
    }
  } catch (const Expected&) {
    EXPECT_FALSE(all);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  // Shielded: a cancel of ours must not keep it from its work.
  while (!waker.done()) {
    try {
      co_await shield(waker);
    } catch (const CancelledError&) {
      cancelled = true;
    }
  }
  co_return cancelled;
}

void run_rounds(int loops, int rounds) {
  const kit::Watchdog watchdog(std::chrono::seconds(200));
  coil::run(
      [rounds]() -> Coro<> {
        Random random(12345);
        for (int round = 0; round < rounds; ++round) {
          std::vector<Future<Value>> futures;
          for (int i = draw(random, 4); i > 0; --i) futures.push_back(create_future<Value>());
          auto task =
              create_task(one_gather(futures, static_cast<unsigned>(random()), round % 2 == 0));
          std::thread completer([futures, seed = random()] { Completer(seed).complete(futures); });
          std::thread canceller([task, yields = draw(random, 300), times = draw(random, 3)] {
            for (int i = 0; i < yields; ++i) std::this_thread::yield();
            for (int i = 0; i < times; ++i) task.cancel("stress");
          });
          try {
            (void)co_await task;
          } catch (const CancelledError&) {
            EXPECT_GT(task.cancelling(), 0);
          }
          completer.join();
          canceller.join();
        }
        co_await kit::until([] { return all_tasks().size() == 1; });
      }(),
      {.loops = loops, .pin = false});
  EXPECT_EQ(live_values, 0) << "results are left";
}

TEST(gather_stress, ends_whatever_happens) {
  KIT_USES_THREADS();
  const char* wanted = std::getenv("COIL_STRESS");
  const int rounds = wanted != nullptr ? std::atoi(wanted) : 2000;
  for (const int loops : {1, 2, 4}) {
    SCOPED_TRACE(loops);
    run_rounds(loops, rounds);
  }
}

}  // namespace
