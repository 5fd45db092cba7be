// Condition: waits under a lock, holds it again whatever happens, loses no notification.
#include <coil/cancel_scope.hpp>
#include <coil/condition.hpp>
#include <coil/loop.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <coil/would_block.hpp>
#include <deque>
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

Coro<> wait_and_log(Condition& condition, std::string& log, char name) {
  const auto guard = co_await condition.scoped();
  co_await condition.wait();
  EXPECT_TRUE(condition.locked());
  log += name;
}

// Waits until the tasks have released the lock and wait, all of them.
Coro<std::vector<Task<>>> waiters(Condition& condition, std::string& log, int count) {
  std::vector<Task<>> tasks;
  for (int i = 0; i < count; ++i) {
    tasks.push_back(create_task(wait_and_log(condition, log, static_cast<char>('a' + i))));
    co_await kit::until([&] { return TaskRef(tasks.back()).get()->suspended(); });
    co_await condition.acquire();  // by now it has let go of it
    condition.release();
  }
  co_return tasks;
}

TEST(condition, wait_releases_the_lock_and_takes_it_again) {
  on_one_loop([]() -> Coro<> {
    Condition condition;
    std::string log;
    auto tasks = co_await waiters(condition, log, 3);
    EXPECT_FALSE(condition.locked());

    co_await condition.acquire();
    condition.notify();
    co_await kit::yield();
    EXPECT_EQ(log, "") << "woken, but it has not got the lock";
    condition.release();
    co_await kit::yield(2);
    EXPECT_EQ(log, "a");

    co_await condition.acquire();
    condition.notify(2);
    condition.release();
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(log, "abc");
    EXPECT_FALSE(condition.locked());
  });
}

TEST(condition, notify_all_wakes_everybody_in_order) {
  on_one_loop([]() -> Coro<> {
    Condition condition;
    std::string log;
    auto tasks = co_await waiters(condition, log, 5);
    {
      const auto guard = co_await condition.scoped();
      condition.notify_all();
    }
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(log, "abcde");
  });
}

TEST(condition, notify_wakes_as_many_as_it_says_and_more_are_no_harm) {
  on_one_loop([]() -> Coro<> {
    Condition condition;
    std::string log;
    auto tasks = co_await waiters(condition, log, 3);
    const auto notify = [&](int n) -> Coro<> {
      const auto guard = co_await condition.scoped();
      condition.notify(n);
    };
    co_await notify(0);
    co_await notify(-1);
    co_await kit::yield(4);
    EXPECT_EQ(log, "");
    co_await notify(2);
    co_await kit::yield(4);
    EXPECT_EQ(log, "ab");
    co_await notify(2048);
    for (auto& task : tasks) co_await task;
    co_await notify(1);  // nobody is there, and nothing is kept
    auto late = create_task(wait_and_log(condition, log, 'l'));
    co_await kit::yield(4);
    EXPECT_FALSE(late.done());
    co_await notify(1);
    co_await late;
    EXPECT_EQ(log, "abcl");
  });
}

TEST(condition, refuses_to_wait_or_notify_when_the_lock_is_not_held) {
  on_one_loop([]() -> Coro<> {
    Condition condition;
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(condition.wait()),
              "cannot wait on un-acquired lock");
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(condition.wait_for([] { return false; })),
              "cannot wait on un-acquired lock");
    const auto message = [](auto fn) {
      try {
        fn();
      } catch (const std::runtime_error& error) {
        return std::string(error.what());
      }
      return std::string();
    };
    EXPECT_EQ(message([&] { condition.notify(); }), "cannot notify on un-acquired lock");
    EXPECT_EQ(message([&] { condition.notify_all(); }), "cannot notify on un-acquired lock");
    EXPECT_EQ(message([&] { condition.release(); }), "Lock is not acquired.");
  });
}

TEST(condition, wait_for_gives_what_the_predicate_gives) {
  on_loops([]() -> Coro<> {
    Condition condition;
    EXPECT_EQ(co_await condition.wait_for([] { return 17; }), 17) << "without lock or wait";
    int value = 0;
    int asked = 0;
    auto task = create_task([&]() -> Coro<int> {
      const auto guard = co_await condition.scoped();
      co_return co_await condition.wait_for([&] {
        ++asked;
        EXPECT_TRUE(condition.locked());
        return value;
      });
    });
    for (int i = 0; i < 3; ++i) {
      co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
      const auto guard = co_await condition.scoped();
      if (i == 2) value = 5;
      condition.notify();
    }
    EXPECT_EQ(co_await task, 5);
    EXPECT_GE(asked, 2);
  });
}

TEST(condition, takes_a_lock_that_others_use_too) {
  on_loops([]() -> Coro<> {
    Lock lock;
    Condition not_empty(lock);
    Condition not_full(lock);
    std::deque<int> queue;
    constexpr int items = 500;
    int sum = 0;
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (int p = 0; p < 4; ++p)
        group.create_task([&]() -> Coro<> {
          for (int i = 1; i <= items; ++i) {
            const auto guard = co_await lock.scoped();
            co_await not_full.wait_for([&] { return queue.size() < 3; });
            queue.push_back(i);
            not_empty.notify();
          }
        });
      for (int c = 0; c < 2; ++c)
        group.create_task([&]() -> Coro<> {
          for (int i = 0; i < 2 * items; ++i) {
            const auto guard = co_await not_empty.scoped();
            EXPECT_TRUE(lock.locked());
            co_await not_empty.wait_for([&] { return !queue.empty(); });
            sum += queue.front();
            queue.pop_front();
            not_full.notify();
          }
        });
      co_return;
    });
    EXPECT_EQ(sum, 4 * items * (items + 1) / 2);
    EXPECT_TRUE(queue.empty());
  });
}

TEST(condition, holds_the_lock_when_a_wait_is_cancelled) {
  on_loops([]() -> Coro<> {
    Condition condition;
    auto task = create_task([&]() -> Coro<> {
      const auto guard = co_await condition.scoped();
      EXPECT_EQ(co_await thrown_by<CancelledError>(condition.wait()), "enough");
      EXPECT_TRUE(condition.locked());
      co_await checkpoint();  // one cancel, thrown once
    });
    co_await kit::until([&] { return TaskRef(task).get()->suspended() && !condition.locked(); });
    task.cancel("enough");
    co_await task;
    EXPECT_FALSE(condition.locked());
  });
}

TEST(condition, holds_the_lock_when_its_scope_is_cancelled) {
  on_loops([]() -> Coro<> {
    Condition condition;
    auto result = co_await move_on_after(1ms, [&]() -> Coro<> {
      const auto guard = co_await condition.scoped();
      for (int i = 0; i < 3; ++i) {
        try {
          co_await condition.wait();
          ADD_FAILURE() << "nobody notifies";
        } catch (const CancelledError&) {
          EXPECT_TRUE(condition.locked());
        }
      }
      co_await checkpoint();
    });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_FALSE(condition.locked());
  });
}

// The cancel that comes while the lock is being taken again is remembered, and thrown with the lock
// held, however long that takes.
TEST(condition, remembers_a_cancel_that_comes_while_it_takes_the_lock_again) {
  on_one_loop([]() -> Coro<> {
    for (const bool notified : {false, true}) {
      Condition condition;
      auto task = create_task([&]() -> Coro<> {
        co_await condition.acquire();
        EXPECT_EQ(co_await thrown_by<CancelledError>(condition.wait()), notified ? "b" : "c");
        EXPECT_TRUE(condition.locked());
        condition.release();
        co_await checkpoint();
      });
      co_await kit::yield();
      co_await condition.acquire();
      if (notified) {
        condition.notify();
      } else {
        task.cancel("a");
      }
      co_await kit::yield(2);
      task.cancel("b");
      co_await kit::yield(2);
      if (!notified) task.cancel("c");
      co_await kit::yield(2);
      EXPECT_FALSE(task.done());
      condition.release();
      co_await task;
      EXPECT_FALSE(condition.locked());
    }
  });
}

TEST(condition, takes_the_lock_again_inside_a_cancelled_scope) {
  on_one_loop([]() -> Coro<> {
    Condition condition;
    CancelScope* inside = nullptr;
    auto task = create_task([&]() -> Coro<bool> {
      auto result = co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
        inside = &scope;
        const auto guard = co_await condition.scoped();
        co_await condition.wait();
      });
      co_return result.cancelled_caught();
    });
    co_await kit::yield();
    co_await condition.acquire();
    inside->cancel();
    co_await kit::yield(5);
    EXPECT_FALSE(task.done()) << "it waits for the lock, and does not spin";
    condition.release();
    EXPECT_TRUE(co_await task);
    EXPECT_FALSE(condition.locked());
  });
}

// As in CPython since 3.13: the one who was notified and then cancelled tells the next.
TEST(condition, hands_a_notification_on_when_the_notified_one_is_cancelled) {
  on_one_loop([]() -> Coro<> {
    for (const bool level : {false, true}) {
      Condition condition;
      std::string log;
      CancelScope* inside = nullptr;
      auto first = create_task([&]() -> Coro<> {
        co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
          inside = &scope;
          co_await wait_and_log(condition, log, '1');
        });
      });
      co_await kit::yield();
      auto second = create_task(wait_and_log(condition, log, '2'));
      co_await kit::yield();
      co_await condition.acquire();
      condition.notify();
      level ? inside->cancel() : (void)first.cancel();
      condition.release();
      co_await second;
      EXPECT_EQ(log, "2");
      if (level) {
        co_await first;
      } else {
        co_await thrown_by<CancelledError>(first);
      }
      EXPECT_FALSE(condition.locked());
    }
  });
}

TEST(condition, a_cancelled_wait_takes_no_notification_from_others) {
  on_one_loop([]() -> Coro<> {
    Condition condition;
    std::string log;
    auto tasks = co_await waiters(condition, log, 3);
    tasks[0].cancel();
    co_await condition.acquire();
    condition.notify();
    condition.release();
    co_await tasks[1];
    EXPECT_EQ(log, "b");
    co_await kit::yield(3);
    EXPECT_FALSE(tasks[2].done()) << "one notification wakes one";
    tasks[2].cancel();
    for (const std::size_t i : {0U, 2U}) co_await thrown_by<CancelledError>(tasks[i]);
    EXPECT_FALSE(condition.locked());
  });
}

TEST(condition, throws_what_the_predicate_throws_with_the_lock_held) {
  on_one_loop([]() -> Coro<> {
    Condition condition;
    co_await condition.acquire();
    EXPECT_EQ(co_await thrown_by<std::logic_error>(
                  condition.wait_for([]() -> bool { throw std::logic_error("odd"); })),
              "odd");
    EXPECT_TRUE(condition.locked());
    condition.release();
  });
}

TEST(condition, may_be_notified_from_a_callback_while_the_lock_is_held) {
  on_loops([]() -> Coro<> {
    Condition condition;
    bool ready = false;
    get_running_loop().call_later(1ms, [&] {
      condition.acquire_nowait();
      ready = true;
      condition.notify_all();
      condition.release();
    });
    const auto guard = co_await condition.scoped();
    co_await condition.wait_for([&] { return ready; });
    EXPECT_TRUE(ready);
  });
}

TEST(condition, wait_with_a_timeout_holds_the_lock_afterwards) {
  on_loops([]() -> Coro<> {
    Condition condition;
    const auto guard = co_await condition.scoped();
    EXPECT_EQ(co_await thrown_by<TimeoutError>(
                  timeout(1ms, [&]() -> Coro<> { co_await condition.wait(); })),
              "timed out");
    EXPECT_TRUE(condition.locked());
    EXPECT_EQ(current_task().cancelling(), 0);
  });
}

TEST(condition, acquires_as_its_lock_does) {
  on_one_loop([]() -> Coro<> {
    Lock lock;
    Condition condition(lock);
    condition.acquire_nowait();
    EXPECT_TRUE(condition.locked());
    EXPECT_TRUE(lock.locked());
    EXPECT_THROW(condition.acquire_nowait(), WouldBlock);
    condition.release();
    EXPECT_THROW(condition.release(), std::runtime_error);
    {
      const auto guard = co_await condition.scoped();
      EXPECT_TRUE(lock.locked());
    }
    EXPECT_FALSE(condition.locked());
  });
}

TEST(condition_death, ends_the_program_when_it_is_destroyed_with_waiters) {
  KIT_USES_THREADS();
  EXPECT_DEATH(coil::run(
                   []() -> Coro<> {
                     auto condition = std::make_unique<Condition>();
                     std::string log;
                     auto task = create_task(wait_and_log(*condition, log, 'a'));
                     co_await kit::yield();
                     condition.reset();
                   }(),
                   {.loops = 1}),
               "a Condition is destroyed while tasks wait for it");
}

}  // namespace
