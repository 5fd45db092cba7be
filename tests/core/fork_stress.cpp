// fork against everything at once: random trees whose children compute, yield, sleep, throw, open
// scopes and groups, while the task is cancelled, once or twice, by a thread or by a scope.
// COIL_STRESS=N sets the number of rounds.
//
// What must hold: each tree ends, with its sum, an expected error or a CancelledError; a cancel
// that was accepted is not lost; no task, no frame's argument and no result is left.
#include <atomic>
#include <coil/cancel_scope.hpp>
#include <coil/exception_group.hpp>
#include <coil/fork.hpp>
#include <coil/loop.hpp>
#include <coil/parallel.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <cstdlib>
#include <kit/loops.hpp>
#include <random>
#include <thread>
#include <utility>

using namespace coil;

namespace {

std::atomic<long> live_values{0};

struct Value {
  explicit Value(long n) : number(n) { ++live_values; }
  Value(const Value& other) : number(other.number) { ++live_values; }
  Value& operator=(const Value&) = default;
  ~Value() { --live_values; }
  long number;
};
struct Expected : std::runtime_error {
  Expected() : std::runtime_error("expected") {}
};

using Random = std::minstd_rand;
unsigned draw(Random& random, unsigned below) { return static_cast<unsigned>(random()) % below; }

struct Shape {
  unsigned failures;  // one child in so many throws; 0: none
  unsigned waits;     // one in so many suspends
};

Coro<Value> tree(Value depth, unsigned seed, Shape shape) {
  Random random(seed);
  if (shape.waits != 0 && draw(random, shape.waits) == 0) {
    switch (draw(random, 3)) {
      case 0:
        co_await sleep(std::chrono::nanoseconds(0));
        break;
      case 1:
        co_await sleep(std::chrono::microseconds(draw(random, 50)));
        break;
      default:
        co_await move_on_after(std::chrono::microseconds(draw(random, 30)),
                               []() -> Coro<> { co_await sleep_forever(); });
    }
  }
  if (shape.failures != 0 && draw(random, shape.failures) == 0) throw Expected();
  if (depth.number == 0) co_return Value(1);
  const Value next(depth.number - 1);
  const auto seeds = [&] { return static_cast<unsigned>(random()); };
  switch (draw(random, 8)) {
    case 0: {
      auto [a, b, c] = co_await fork(tree(next, seeds(), shape), tree(Value(0), seeds(), shape),
                                     tree(next, seeds(), shape));
      co_return Value(a.number + b.number + c.number - 1);
    }
    case 1: {
      Value sum(0);
      co_await with_task_group([&](TaskGroup& group) -> Coro<> {
        auto task = group.create_task(tree(next, seeds(), shape));
        auto [b] = co_await fork(tree(next, seeds(), shape));
        sum = Value((co_await task).number + b.number);
      });
      co_return sum;
    }
    case 2: {
      const auto halves = co_await fork_each(std::vector<unsigned>{seeds(), seeds()},
                                             [&](unsigned s) { return tree(next, s, shape); });
      co_return Value(halves[0].number + halves[1].number);
    }
    default: {
      auto [a, b] = co_await fork(tree(next, seeds(), shape), tree(next, seeds(), shape));
      co_return Value(a.number + b.number);
    }
  }
}

constexpr int depth = 7;

Coro<> one_tree(unsigned seed, Shape shape) {
  try {
    const Value leaves = co_await tree(Value(depth), seed, shape);
    EXPECT_EQ(leaves.number, 1L << depth);
    co_return;
  } catch (const Expected&) {
  } catch (const ExceptionGroup&) {
  }
  EXPECT_NE(shape.failures, 0U);
}

void run_rounds(int loops, int rounds, unsigned seed) {
  const kit::Watchdog watchdog(std::chrono::seconds(250));
  Random random(seed);
  coil::run(
      [&]() -> Coro<> {
        for (int round = 0; round < rounds; ++round) {
          const Shape shape{draw(random, 3) == 0 ? 300 + draw(random, 300) : 0,
                            draw(random, 4) * 10};
          const unsigned tree_seed = static_cast<unsigned>(random());
          auto task = create_task(one_tree(tree_seed, shape));
          std::thread canceller;
          const bool scoped = draw(random, 4) == 0;
          if (!scoped && draw(random, 2) == 0) {
            canceller = std::thread([task, yields = draw(random, 400), twice = draw(random, 2)] {
              for (unsigned i = 0; i < yields; ++i) std::this_thread::yield();
              for (unsigned i = 0; i <= twice; ++i) task.cancel("stress");
            });
          }
          try {
            if (scoped) {
              co_await move_on_after(std::chrono::microseconds(draw(random, 300)),
                                     [&]() -> Coro<> { co_await one_tree(tree_seed, shape); });
            }
            co_await task;
          } catch (const CancelledError&) {
            EXPECT_GT(task.cancelling(), 0);
          }
          if (canceller.joinable()) canceller.join();
        }
        co_await kit::until([] { return all_tasks().size() == 1; });
      }(),
      {.loops = loops, .pin = false});
  EXPECT_EQ(live_values, 0) << "values are left";
}

TEST(fork_stress, ends_whatever_happens) {
  KIT_USES_THREADS();
  const char* wanted = std::getenv("COIL_STRESS");
  const int rounds = wanted != nullptr ? std::atoi(wanted) : 2000;
  for (const int loops : {1, 2, 4}) {
    SCOPED_TRACE(loops);
    run_rounds(loops, rounds, static_cast<unsigned>(loops));
  }
}

}  // namespace
