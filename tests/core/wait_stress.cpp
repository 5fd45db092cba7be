// wait, as_completed and nurseries against everything at once: children that end on any loop or
// thread at any time, limits that run out meanwhile, waiters that are cancelled. COIL_STRESS=N sets
// the number of rounds.
//
// What must hold: each wait ends, and tells every child once; as_completed gives none twice and,
// if nothing was late, loses none; a nursery ends, with all of its tasks; nothing is left.
#include <algorithm>
#include <atomic>
#include <coil/as_completed.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/detail/atomic.hpp>
#include <coil/future.hpp>
#include <coil/nursery.hpp>
#include <coil/task.hpp>
#include <coil/wait.hpp>
#include <cstdlib>
#include <kit/loops.hpp>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

using namespace coil;

namespace {

using Random = std::mt19937;
using Futures = std::vector<Future<int>>;
int draw(Random& random, int below) {
  return static_cast<int>(random() % static_cast<unsigned>(below));
}
std::chrono::microseconds microseconds(int n) { return std::chrono::microseconds(n); }

// Not by giving the processor away, which takes as long as others please.
void pass_time(int steps) {
  for (int i = 0; i < steps; ++i) detail::spin_pause();
}

Coro<int> child(int delay) {
  if (delay % 3 == 0) co_await kit::yield(delay % 4);
  if (delay % 3 == 1) co_await sleep(microseconds(delay));
  if (delay % 7 == 2) throw std::runtime_error("expected");
  co_return delay;
}

Futures make_children(Random& random, Futures futures) {
  for (int i = draw(random, 6) + 1; i > 0; --i)
    futures.push_back(create_task(child(draw(random, 60))));
  std::shuffle(futures.begin(), futures.end(), random);
  return futures;
}

TimeLimit draw_limit(Random& random) {
  const int n = draw(random, 120);
  return n < 60 ? TimeLimit(microseconds(n)) : TimeLimit();
}

Coro<> one_wait(Futures children, unsigned seed) {
  Random random(seed);
  constexpr ReturnWhen kinds[] = {FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED};
  const WaitOptions options{.timeout = draw_limit(random), .return_when = kinds[draw(random, 3)]};
  auto [done, pending] = co_await wait(children, options);
  EXPECT_EQ(done.size() + pending.size(), children.size());
  for (const auto& each : done) EXPECT_TRUE(each.done());
  if (options.return_when == ALL_COMPLETED && !options.timeout.has_value()) {
    EXPECT_TRUE(pending.empty());
  }
}

Coro<> one_as_completed(Futures children, unsigned seed) {
  Random random(seed);
  const TimeLimit limit = draw_limit(random);
  auto it = as_completed(children, limit);
  std::set<Future<int>> seen;
  std::size_t late = 0;
  for (bool more = true; more;) {
    try {
      auto next = co_await it.next();
      more = next.has_value();
      if (next) EXPECT_TRUE(seen.insert(*next).second) << "given twice";
    } catch (const TimeoutError&) {
      ++late;
    }
  }
  EXPECT_EQ(seen.size() + late, children.size());
  if (!limit.has_value()) EXPECT_EQ(late, 0U);
}

Coro<> one_nursery(Futures children, unsigned seed) {
  Random random(seed);
  try {
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      for (const auto& each : children)
        n.start_soon([each]() -> Coro<> { (void)co_await wait({each}); });
      for (int i = draw(random, 4); i > 0; --i) n.start_soon(child(draw(random, 60)));
      const int started = co_await n.start([delay = draw(random, 60)](TaskStatus<int> s) -> Coro<> {
        (void)co_await child(delay);
        s.started(delay);
        (void)co_await child(delay + 1);
      });
      EXPECT_LT(started, 60);
      if (draw(random, 4) == 0) n.cancel_scope().cancel();
    });
  } catch (const std::exception&) {  // a child's, alone or in a group
  }
}

void complete(const Futures& futures, Random random) {
  for (const auto& future : futures) {
    pass_time(draw(random, 4000));
    switch (draw(random, 5)) {
      case 0:
        future.try_set_exception(std::runtime_error("expected"));
        break;
      case 1:
        future.cancel("future");
        break;
      default:
        future.try_set_result(1);
    }
  }
}

Coro<> one_round(Random& random, int kind) {
  Futures futures;
  for (int i = draw(random, 4); i > 0; --i) futures.push_back(create_future<int>());
  const Futures children = make_children(random, futures);
  const auto seed = static_cast<unsigned>(random());
  auto task = create_task(kind == 0   ? one_wait(children, seed)
                          : kind == 1 ? one_as_completed(children, seed)
                                      : one_nursery(children, seed));
  std::thread completer([&, random = Random(seed + 1)] { complete(futures, random); });
  std::thread canceller([task, delay = draw(random, 12000), times = draw(random, 3)] {
    pass_time(delay);
    for (int i = 0; i < times; ++i) task.cancel("stress");
  });
  try {
    co_await task;
  } catch (const CancelledError&) {
    EXPECT_GT(task.cancelling(), 0);
  }
  completer.join();
  canceller.join();
  for (const auto& each : children) {
    co_await kit::until([&] { return each.done(); });
    if (!each.cancelled()) (void)each.exception();  // nobody needs to read of it
  }
}

TEST(wait_stress, ends_whatever_happens) {
  KIT_USES_THREADS();
  const char* wanted = std::getenv("COIL_STRESS");
  const int rounds = wanted != nullptr ? std::atoi(wanted) : 600;
  for (const int loops : {1, 2, 4}) {
    SCOPED_TRACE(loops);
    const kit::Watchdog watchdog(std::chrono::seconds(200));
    coil::run(
        [rounds]() -> Coro<> {
          Random random(4321);
          for (int round = 0; round < rounds; ++round) co_await one_round(random, round % 3);
          co_await kit::until([] { return all_tasks().size() == 1; });
        }(),
        {.loops = loops});
  }
}

}  // namespace
