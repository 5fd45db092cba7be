// Generators that go from task to task and from loop to loop, are cut short by cancels of both
// kinds, closed, dropped and fought over. COIL_STRESS=N sets the number of rounds.
//
// What must hold: no two tasks are in one body at a time, items come in order, and when run() has
// returned every body that began has ended, and awaited what it awaits when it is closed.
#include <atomic>
#include <coil/async_generator.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/gather.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <cstdlib>
#include <kit/loops.hpp>
#include <mutex>
#include <random>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

int rounds() {
  const char* wanted = std::getenv("COIL_STRESS");
  return wanted != nullptr ? std::atoi(wanted) : 300;
}

struct Totals {
  std::atomic<int> begun{0};
  std::atomic<int> unwound{0};
  std::atomic<int> exits{0};    // GeneratorExit was caught
  std::atomic<int> cleaned{0};  // and what was awaited then has been
};

class Inside {
 public:
  explicit Inside(std::atomic<bool>& flag) : flag_(flag) {
    EXPECT_FALSE(flag_.exchange(true)) << "two tasks are in one body";
  }
  ~Inside() { flag_ = false; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  std::atomic<bool>& flag_;
};

AsyncGenerator<int> numbers(Totals& totals, unsigned seed) {
  struct Count {
    Totals& totals;
    explicit Count(Totals& t) : totals(t) { ++totals.begun; }
    ~Count() { ++totals.unwound; }
  };
  const Count count(totals);
  std::atomic<bool> busy{false};
  std::minstd_rand random(seed);
  bool exit = false;
  try {
    for (int i = 1; i < 60; ++i) {
      {
        const Inside inside(busy);
        if (random() % 3 == 0) co_await kit::yield();
        if (random() % 16 == 0) co_await sleep(50us);
      }
      co_yield i;
    }
  } catch (const GeneratorExit&) {
    exit = true;
  }
  if (!exit) co_return;
  ++totals.exits;
  const Inside inside(busy);
  try {
    co_await kit::yield(static_cast<int>(random() % 3));
    if (random() % 4 == 0) co_await sleep(50us);
  } catch (const CancelledError&) {
    ++totals.cleaned;  // aclose() by a task that is cancelled
    throw;
  }
  ++totals.cleaned;
}

struct Item {
  AsyncGenerator<int> generator;
  int last = 0;
};

// What the tasks hand each other.
class Shelf {
 public:
  void put(Item item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }
  Item take(Totals& totals, unsigned seed) {
    const std::lock_guard lock(mutex_);
    if (items_.empty()) return {numbers(totals, seed)};
    Item item = std::move(items_.back());
    items_.pop_back();
    return item;
  }

 private:
  std::mutex mutex_;
  std::vector<Item> items_;
};

// False: it has ended.
Coro<bool> steps(Item& item, int n) {
  for (; n > 0; --n) {
    const auto next = co_await item.generator.next();
    if (!next) co_return false;
    EXPECT_EQ(*next, ++item.last);
  }
  co_return true;
}

Coro<> fight(Item& item) {
  auto results = co_await gather_results(item.generator.next(), item.generator.next());
  auto& [a, b] = results;
  EXPECT_TRUE(a.has_value() || b.has_value());
  for (auto* one : {&a, &b})
    if (one->has_value() && one->value()) ++item.last;
}

Coro<> one_round(Shelf& shelf, Totals& totals, unsigned seed) {
  std::minstd_rand random(seed);
  Item item = shelf.take(totals, seed);
  bool more = co_await steps(item, static_cast<int>(random() % 8));
  switch (random() % 8) {
    case 0:
      co_await item.generator.aclose();
      EXPECT_EQ(co_await item.generator.next(), std::nullopt);
      more = false;
      break;
    case 1:
      more = false;  // dropped here
      break;
    case 2:
      (void)co_await move_on_after(30us, [&]() -> Coro<> { co_await steps(item, 40); });
      more = (co_await item.generator.next()).has_value();
      ++item.last;
      break;
    case 3:
      try {
        more = co_await timeout(30us, [&]() -> Coro<bool> { co_return co_await steps(item, 40); });
      } catch (const TimeoutError&) {
      }
      break;
    case 4:
      if (more) co_await fight(item);
      break;
    case 5:
      more = false;
      COIL_FOR_AWAIT(const int x, item.generator) {
        EXPECT_EQ(x, ++item.last);
        if (random() % 4 == 0) break;
        if (random() % 8 == 0) co_return;
      }
      break;
    default:
      break;
  }
  if (more) shelf.put(std::move(item));
}

void go_round(int loops) {
  const kit::Watchdog watchdog(std::chrono::seconds(250));
  Totals totals;
  Shelf shelf;  // what is left on it outlives run()
  coil::run(
      [](Totals& all, Shelf& share) -> Coro<> {
        std::vector<Task<>> tasks;
        for (unsigned worker = 0; worker < 6; ++worker) {
          tasks.push_back(create_task([&, worker]() -> Coro<> {
            for (int round = 0; round < rounds(); ++round) {
              auto task = create_task(
                  one_round(share, all, worker * 1'000'003U + static_cast<unsigned>(round) + 1U));
              if (round % 5 == 0) {
                co_await sleep(std::chrono::microseconds(10 + round % 60));
                task.cancel();
              }
              try {
                co_await task;
              } catch (const CancelledError&) {
              }
            }
          }));
        }
        for (auto& task : tasks) co_await task;
      }(totals, shelf),
      {.loops = loops});
  EXPECT_GT(totals.exits, 0);
  EXPECT_EQ(totals.begun, totals.unwound);
  EXPECT_EQ(totals.exits, totals.cleaned);
}

TEST(generator_stress, every_body_that_began_has_ended_when_run_returns) {
  for (const int loops : {1, 2, 4}) {
    SCOPED_TRACE(loops);
    go_round(loops);
  }
}

}  // namespace
