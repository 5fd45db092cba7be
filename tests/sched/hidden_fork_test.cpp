// Children that a loop forked while nobody looked for work: they are had all the same once somebody
// does, although the loop that forked never looks up again.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/fork.hpp>
#include <coil/runner.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <kit/watchdog.hpp>
#include <latch>
#include <thread>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

void hold_until(const std::atomic<int>& count, int enough) {
  while (count < enough) std::this_thread::yield();
}

// Each child holds its loop until all have started, so that each needs a loop of its own.
Coro<> child(std::atomic<int>& started, std::atomic<bool>& forked, int all) {
  forked = true;
  ++started;
  hold_until(started, all);
  co_return;
}

// `others` loops are busy until the fork of as many children and one has begun, and then have
// nothing to do.
void fork_while_all_are_busy(int others) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = others + 1});
  for (int round = 0; round < 20; ++round) {
    runner.run([&]() -> Coro<> {
      std::atomic<int> busy{0};
      std::atomic<bool> forked{false};
      std::vector<Task<>> holders;
      for (int i = 0; i < others; ++i)
        holders.push_back(runner.loops()[static_cast<std::size_t>(i + 1)]->create_task(
            [](std::atomic<int>& count, std::atomic<bool>& go) -> Coro<> {
              ++count;
              while (!go) std::this_thread::yield();
              co_return;
            }(busy, forked)));
      hold_until(busy, others);
      std::atomic<int> started{0};
      if (others == 1) {
        co_await fork(child(started, forked, 2), child(started, forked, 2));
      } else {
        co_await fork(child(started, forked, 4), child(started, forked, 4),
                      child(started, forked, 4), child(started, forked, 4));
      }
      EXPECT_EQ(started, others == 1 ? 2 : 4);
      for (auto& holder : holders) co_await holder;
    });
  }
}

TEST(hidden_fork, is_taken_by_a_loop_that_runs_out_of_work) {
  KIT_USES_THREADS();
  fork_while_all_are_busy(1);
}

TEST(hidden_fork, of_several_children_gives_one_to_each_idle_loop) {
  KIT_USES_THREADS();
  fork_while_all_are_busy(3);
}

}  // namespace
