// Barrier: nobody goes on before all are there.
#include <algorithm>
#include <atomic>
#include <coil/barrier.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/gather.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

// "0", "1", ... or "broken: <text>", or "cancelled".
Coro<std::string> pass(Barrier& barrier) {
  try {
    co_return std::to_string(co_await barrier.wait());
  } catch (const BrokenBarrierError& error) {
    co_return std::string("broken: ") + error.what();
  } catch (const CancelledError&) {
    co_return "cancelled";
  }
}

std::vector<Task<std::string>> start(Barrier& barrier, int count) {
  std::vector<Task<std::string>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(create_task(pass(barrier)));
  return tasks;
}

TEST(barrier, refuses_less_than_one_party) {
  for (const int parties : {0, -3}) {
    try {
      const Barrier barrier(parties);
      ADD_FAILURE() << "did not throw";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("parties must be >= 1"), std::string::npos);
    }
  }
}

TEST(barrier, lets_all_through_when_the_last_one_comes) {
  on_one_loop([]() -> Coro<> {
    Barrier barrier(4);
    EXPECT_EQ(barrier.parties(), 4);
    EXPECT_EQ(barrier.n_waiting(), 0);
    auto tasks = start(barrier, 3);
    co_await kit::yield(2);
    EXPECT_EQ(barrier.n_waiting(), 3);
    EXPECT_FALSE(barrier.broken());
    for (const auto& task : tasks) EXPECT_FALSE(task.done());
    EXPECT_EQ(co_await barrier.wait(), 3);
    EXPECT_EQ(barrier.n_waiting(), 0);
    for (std::size_t i = 0; i < tasks.size(); ++i) EXPECT_EQ(co_await tasks[i], std::to_string(i));
  });
}

TEST(barrier, of_one_never_waits) {
  on_one_loop([]() -> Coro<> {
    Barrier barrier(1);
    current_task().cancel("later");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(co_await barrier.wait(), 0);
    EXPECT_EQ(co_await thrown_by<CancelledError>(checkpoint()), "later");
    current_task().uncancel();
  });
}

TEST(barrier, may_be_passed_again_and_again) {
  on_loops([]() -> Coro<> {
    constexpr int parties = 5;
    constexpr int rounds = 200;
    Barrier barrier(parties);
    std::atomic<int> arrived{0};
    std::vector<int> places(parties, 0);  // per place and round, one increment
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < parties; ++i)
        group.create_task([&, i]() -> Coro<> {
          for (int round = 1; round <= rounds; ++round) {
            ++arrived;
            const int place = co_await barrier.wait();
            EXPECT_GE(arrived, round * parties) << "somebody was missing";
            ++places[static_cast<std::size_t>(place)];
            if ((i + round) % 3 == 0) co_await kit::yield();
            co_await barrier.wait();
          }
        });
      co_return;
    });
    EXPECT_EQ(places, std::vector<int>(parties, rounds));
    EXPECT_EQ(barrier.n_waiting(), 0);
  });
}

TEST(barrier, takes_more_tasks_than_parties_in_turns) {
  on_one_loop([]() -> Coro<> {
    Barrier barrier(3);
    auto tasks = start(barrier, 7);
    co_await kit::yield(2);
    std::string log;
    for (std::size_t i = 0; i < 6; ++i) log += co_await tasks[i];
    EXPECT_EQ(log, "012012");
    EXPECT_EQ(barrier.n_waiting(), 1);
    EXPECT_FALSE(tasks[6].done());
    co_await barrier.reset();
    EXPECT_EQ(co_await tasks[6], "broken: Abort or reset of barrier");
  });
}

TEST(barrier, reset_sends_away_who_waits_and_leaves_it_usable) {
  on_loops([]() -> Coro<> {
    Barrier barrier(3);
    auto tasks = start(barrier, 2);
    co_await kit::until([&] { return barrier.n_waiting() == 2; });
    co_await barrier.reset();
    EXPECT_FALSE(barrier.broken());
    EXPECT_EQ(barrier.n_waiting(), 0);
    for (auto& task : tasks) EXPECT_EQ(co_await task, "broken: Abort or reset of barrier");
    auto again = start(barrier, 3);
    std::vector<std::string> places;
    for (auto& task : again) places.push_back(co_await task);
    std::sort(places.begin(), places.end());
    EXPECT_EQ(places, (std::vector<std::string>{"0", "1", "2"}));
    barrier.reset();  // with nobody there: nothing
    EXPECT_FALSE(barrier.broken());
  });
}

TEST(barrier, abort_breaks_it_until_it_is_reset) {
  on_loops([]() -> Coro<> {
    Barrier barrier(3);
    auto tasks = start(barrier, 2);
    co_await kit::until([&] { return barrier.n_waiting() == 2; });
    co_await barrier.abort();
    EXPECT_TRUE(barrier.broken());
    EXPECT_EQ(barrier.n_waiting(), 0);
    for (auto& task : tasks) EXPECT_EQ(co_await task, "broken: Abort or reset of barrier");
    EXPECT_EQ(co_await pass(barrier), "broken: Barrier aborted");
    auto late = start(barrier, 3);
    for (auto& task : late) EXPECT_EQ(co_await task, "broken: Barrier aborted");
    co_await barrier.reset();
    EXPECT_FALSE(barrier.broken());
    auto again = start(barrier, 2);
    (void)co_await barrier.wait();
    for (auto& task : again) EXPECT_EQ((co_await task).find("broken"), std::string::npos);
  });
}

TEST(barrier, leaves_those_alone_who_are_through) {
  on_one_loop([]() -> Coro<> {
    Barrier barrier(3);
    auto tasks = start(barrier, 2);
    co_await kit::yield();
    EXPECT_EQ(co_await barrier.wait(), 2);
    barrier.abort();  // the others have not run yet
    EXPECT_EQ(co_await tasks[0], "0");
    EXPECT_EQ(co_await tasks[1], "1");
  });
}

TEST(barrier, waits_for_another_in_place_of_a_cancelled_one) {
  on_one_loop([]() -> Coro<> {
    Barrier barrier(3);
    auto tasks = start(barrier, 2);
    co_await kit::yield();
    tasks[0].cancel();
    EXPECT_EQ(co_await tasks[0], "cancelled");
    EXPECT_EQ(barrier.n_waiting(), 1);
    EXPECT_FALSE(barrier.broken());
    auto third = create_task(pass(barrier));
    co_await kit::yield();
    EXPECT_EQ(barrier.n_waiting(), 2);
    EXPECT_EQ(co_await barrier.wait(), 2);
    EXPECT_EQ(co_await tasks[1], "0") << "each place is given once";
    EXPECT_EQ(co_await third, "1");
  });
}

TEST(barrier, may_be_left_by_a_scope_and_by_a_timeout) {
  on_loops([]() -> Coro<> {
    Barrier barrier(2);
    auto result =
        co_await move_on_after(1ms, [&]() -> Coro<int> { co_return co_await barrier.wait(); });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_EQ(barrier.n_waiting(), 0);
    EXPECT_EQ(co_await thrown_by<TimeoutError>(wait_for(barrier.wait(), 1ms)), "timed out");
    auto [a, b] = co_await gather(barrier.wait(), barrier.wait());
    EXPECT_EQ(a + b, 1);
  });
}

TEST(barrier, passed_before_the_cancel_came_gives_its_place) {
  on_one_loop([]() -> Coro<> {
    Barrier barrier(2);
    auto task = create_task([&]() -> Coro<int> {
      const int place = co_await barrier.wait();
      EXPECT_EQ(co_await thrown_by<CancelledError>(checkpoint()), "too late");
      co_return place;
    });
    co_await kit::yield();
    EXPECT_EQ(co_await barrier.wait(), 1);
    task.cancel("too late");
    EXPECT_EQ(co_await task, 0);
  });
}

TEST(barrier, may_be_destroyed_by_whoever_is_through) {
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 200; ++i) {
      auto* barrier = new Barrier(2);
      std::atomic<int> there{0};
      auto task = create_task([&, barrier]() -> Coro<> {
        if (co_await barrier->wait() == 0) delete barrier;
        ++there;
      });
      co_await kit::yield(i % 3);
      if (co_await barrier->wait() == 0) delete barrier;
      co_await task;
      EXPECT_EQ(there, 1);
    }
  });
}

TEST(barrier_death, ends_the_program_when_it_is_destroyed_with_waiters) {
  KIT_USES_THREADS();
  EXPECT_DEATH(coil::run(
                   []() -> Coro<> {
                     auto barrier = std::make_unique<Barrier>(2);
                     auto task = create_task(barrier->wait());
                     co_await kit::yield();
                     barrier.reset();
                   }(),
                   {.loops = 1}),
               "a Barrier is destroyed while tasks wait at it");
}

}  // namespace
