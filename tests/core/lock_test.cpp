// Lock: one at a time, first come first served, nothing lost with a cancelled waiter.
#include <coil/cancel_scope.hpp>
#include <coil/lock.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <coil/would_block.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<Lock> && !std::is_move_constructible_v<Lock>);
static_assert(!std::is_copy_constructible_v<Lock::Guard>);
static_assert(std::is_nothrow_move_constructible_v<Lock::Guard>);
static_assert(std::is_nothrow_move_assignable_v<Lock::Guard>);

namespace {

// Acquires, says so, and releases after `yields` turns.
Coro<> hold(Lock& lock, std::string& log, char name, int yields = 1) {
  co_await lock.acquire();
  log += name;
  co_await kit::yield(yields);
  lock.release();
}

TEST(lock, is_acquired_and_released) {
  on_loops([]() -> Coro<> {
    Lock lock;
    EXPECT_FALSE(lock.locked());
    co_await lock.acquire();
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_FALSE(lock.locked());
  });
}

TEST(lock, keeps_others_out) {
  on_loops([]() -> Coro<> {
    Lock lock;
    int inside = 0;
    int count = 0;  // no atomic: the lock orders the accesses
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < 20; ++i)
        group.create_task([&]() -> Coro<> {
          for (int n = 0; n < 50; ++n) {
            co_await lock.acquire();
            EXPECT_EQ(++inside, 1);
            if (n % 5 == 0) co_await kit::yield();
            ++count;
            --inside;
            lock.release();
          }
        });
      co_return;
    });
    EXPECT_EQ(count, 1000);
    EXPECT_FALSE(lock.locked());
  });
}

TEST(lock, hands_itself_to_the_first_in_line) {
  on_one_loop([]() -> Coro<> {
    Lock lock;
    std::string log;
    co_await lock.acquire();
    std::vector<Task<>> tasks;
    for (char name = 'a'; name < 'e'; ++name)
      tasks.push_back(create_task(hold(lock, log, name, name % 3)));
    co_await kit::yield(3);
    EXPECT_EQ(log, "");
    lock.release();
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(log, "abcd");
  });
}

TEST(lock, runs_the_next_one_soon_and_not_inside_release) {
  on_one_loop([]() -> Coro<> {
    Lock lock;
    std::string log;
    co_await lock.acquire();
    auto task = create_task(hold(lock, log, 'a'));
    co_await kit::yield();
    lock.release();
    EXPECT_EQ(log, "");
    EXPECT_TRUE(lock.locked()) << "it is the waiter's already";
    co_await kit::yield();
    EXPECT_EQ(log, "a");
    co_await task;
  });
}

TEST(lock, lets_no_newcomer_in_before_the_first_in_line) {
  on_one_loop([]() -> Coro<> {
    Lock lock;
    std::string log;
    co_await lock.acquire();
    auto waiter = create_task(hold(lock, log, 'w'));
    co_await kit::yield();
    lock.release();
    // The waiter has not run yet, and we never gave way.
    EXPECT_THROW(lock.acquire_nowait(), WouldBlock);
    co_await hold(lock, log, 'n');
    EXPECT_EQ(log, "wn");
    co_await waiter;
  });
}

TEST(lock, does_not_suspend_when_it_is_free) {
  on_one_loop([]() -> Coro<> {
    Lock lock;
    bool other_ran = false;
    auto other = create_task([&]() -> Coro<> {
      other_ran = true;
      co_return;
    });
    for (int i = 0; i < 10; ++i) {
      co_await lock.acquire();
      lock.release();
      const auto guard = co_await lock.scoped();
    }
    EXPECT_FALSE(other_ran);
    co_await other;
  });
}

TEST(lock, delivers_no_cancellation_when_it_is_free) {
  on_loops([]() -> Coro<> {
    Lock lock;
    auto task = create_task([&]() -> Coro<> {
      current_task().cancel("later");
      co_await lock.acquire();
      lock.release();
      EXPECT_EQ(co_await thrown_by<CancelledError>(checkpoint()), "later");
    });
    co_await task;
    co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
      scope.cancel();
      co_await lock.acquire();
      lock.release();
    });
  });
}

TEST(lock, refuses_to_be_released_when_it_is_not_held) {
  on_one_loop([]() -> Coro<> {
    Lock lock;
    const auto release = [&] {
      try {
        lock.release();
      } catch (const std::runtime_error& error) {
        return std::string(error.what());
      }
      return std::string();
    };
    EXPECT_EQ(release(), "Lock is not acquired.");
    co_await lock.acquire();
    EXPECT_EQ(release(), "");
    EXPECT_EQ(release(), "Lock is not acquired.");
    co_await lock.acquire();  // and is none the worse for it
    EXPECT_TRUE(lock.locked());
  });
}

TEST(lock, may_be_released_by_another_task_and_by_a_callback) {
  on_loops([]() -> Coro<> {
    Lock lock;
    co_await lock.acquire();
    co_await create_task([&]() -> Coro<> {
      lock.release();
      co_return;
    });
    co_await lock.acquire();
    get_running_loop().call_soon([&] { lock.release(); });
    co_await lock.acquire();
    lock.release();
  });
}

TEST(lock, may_be_released_by_a_thread) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    Lock lock;
    for (int i = 0; i < 20; ++i) {
      co_await lock.acquire();
      std::thread other([&] { lock.release(); });
      co_await lock.acquire();
      lock.release();
      other.join();
    }
  });
}

TEST(lock, is_taken_without_waiting_or_would_block) {
  on_one_loop([]() -> Coro<> {
    Lock lock;
    lock.acquire_nowait();
    EXPECT_TRUE(lock.locked());
    EXPECT_THROW(lock.acquire_nowait(), WouldBlock);
    lock.release();
    EXPECT_FALSE(lock.locked());
    co_return;
  });
}

TEST(lock, guard_releases_at_the_end_of_its_scope) {
  on_loops([]() -> Coro<> {
    Lock lock;
    {
      auto guard = co_await lock.scoped();
      EXPECT_TRUE(guard);
      EXPECT_TRUE(lock.locked());
    }
    EXPECT_FALSE(lock.locked());
    EXPECT_EQ(co_await thrown_by<std::logic_error>([](Lock& l) -> Coro<> {
                auto guard = co_await l.scoped();
                co_await kit::yield();
                throw std::logic_error("out");
              }(lock)),
              "out");
    EXPECT_FALSE(lock.locked());
  });
}

TEST(lock, guard_moves_and_releases_once) {
  on_one_loop([]() -> Coro<> {
    Lock lock;
    Lock other;
    {
      auto first = co_await lock.scoped();
      auto second = std::move(first);
      EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): tested
      EXPECT_TRUE(second);
      first = co_await other.scoped();
      EXPECT_TRUE(other.locked());
      first = std::move(second);
      EXPECT_FALSE(other.locked()) << "what it held before is released";
      EXPECT_TRUE(lock.locked());
      auto& same = first;
      first = std::move(same);
      EXPECT_TRUE(lock.locked());
    }
    EXPECT_FALSE(lock.locked());
    auto early = co_await lock.scoped();
    early.release();
    EXPECT_FALSE(lock.locked());
    EXPECT_FALSE(early);
    early.release();
    co_await lock.acquire();
    const Lock::Guard adopted(lock);
    EXPECT_TRUE(adopted);
  });
}

TEST(lock, may_be_acquired_through_what_takes_an_awaitable) {
  on_loops([]() -> Coro<> {
    Lock lock;
    co_await create_task(lock.acquire());
    EXPECT_TRUE(lock.locked());
    EXPECT_EQ(co_await thrown_by<TimeoutError>(wait_for(lock.acquire(), 1ms)), "timed out");
    lock.release();
    co_await wait_for(lock.acquire(), 1h);
    lock.release();
    {
      auto guard = co_await wait_for(lock.scoped(), 1h);
      EXPECT_TRUE(lock.locked());
    }
    EXPECT_FALSE(lock.locked());
  });
}

TEST(lock, forgets_a_cancelled_waiter) {
  on_loops([]() -> Coro<> {
    Lock lock;
    std::string log;
    co_await lock.acquire();
    auto cancelled = create_task(hold(lock, log, 'c'));
    co_await kit::until([&] { return TaskRef(cancelled).get()->suspended(); });
    auto next = create_task(hold(lock, log, 'n'));
    co_await kit::until([&] { return TaskRef(next).get()->suspended(); });
    cancelled.cancel("enough");
    EXPECT_EQ(co_await thrown_by<CancelledError>(cancelled), "enough");
    EXPECT_TRUE(lock.locked());
    lock.release();
    co_await next;
    EXPECT_EQ(log, "n");
    EXPECT_FALSE(lock.locked());
  });
}

TEST(lock, is_free_again_when_its_only_waiter_was_cancelled) {
  on_loops([]() -> Coro<> {
    Lock lock;
    co_await lock.acquire();
    auto result = co_await move_on_after(1ms, [&]() -> Coro<> { co_await lock.acquire(); });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_FALSE(lock.locked());
    co_await lock.acquire();
    lock.release();
  });
}

TEST(lock, keeps_the_order_of_those_left_when_one_is_cancelled) {
  on_one_loop([]() -> Coro<> {
    const std::vector<std::string> left = {"bcd", "acd", "abd", "abc"};
    for (std::size_t out = 0; out < left.size(); ++out) {
      Lock lock;
      std::string log;
      co_await lock.acquire();
      std::vector<Task<>> tasks;
      for (char name = 'a'; name < 'e'; ++name) tasks.push_back(create_task(hold(lock, log, name)));
      co_await kit::yield();
      tasks[out].cancel();
      lock.release();
      for (std::size_t i = 0; i < tasks.size(); ++i) {
        if (i == out) {
          co_await thrown_by<CancelledError>(tasks[i]);
        } else {
          co_await tasks[i];
        }
      }
      EXPECT_EQ(log, left[out]);
      EXPECT_FALSE(lock.locked());
    }
  });
}

TEST(lock, handed_over_before_the_cancel_came_is_kept_and_the_next_suspension_is_cancelled) {
  on_one_loop([]() -> Coro<> {
    Lock lock;
    co_await lock.acquire();
    bool got_it = false;
    auto task = create_task([&]() -> Coro<> {
      const auto guard = co_await lock.scoped();
      got_it = true;
      co_await checkpoint();
      ADD_FAILURE() << "the cancel is lost";
    });
    co_await kit::yield();
    lock.release();
    task.cancel("too late");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "too late");
    EXPECT_TRUE(got_it);
    EXPECT_FALSE(lock.locked());
  });
}

TEST(lock, may_be_destroyed_by_the_one_who_gets_it) {
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 200; ++i) {
      auto* lock = new Lock;
      co_await lock->acquire();
      auto task = create_task([lock, yields = i % 4]() -> Coro<> {
        co_await kit::yield(yields);
        co_await lock->acquire();
        delete lock;
      });
      co_await kit::yield(2);
      lock->release();
      co_await task;
    }
  });
}

TEST(lock_death, ends_the_program_when_it_is_destroyed_with_waiters) {
  KIT_USES_THREADS();
  EXPECT_DEATH(coil::run(
                   []() -> Coro<> {
                     auto lock = std::make_unique<Lock>();
                     co_await lock->acquire();
                     auto task = create_task(lock->acquire());
                     co_await kit::yield();
                     lock.reset();
                   }(),
                   {.loops = 1}),
               "a Lock is destroyed while tasks wait for it");
}

}  // namespace
