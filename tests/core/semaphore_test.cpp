// Semaphore and BoundedSemaphore: so many at a time, first come first served.
#include <atomic>
#include <coil/cancel_scope.hpp>
#include <coil/semaphore.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <coil/would_block.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

Coro<> take(Semaphore& semaphore, std::string& log, char name) {
  co_await semaphore.acquire();
  log += name;
}

// The message of the exception that fn throws, or "".
template <class E, class Fn>
std::string message_of(Fn fn) {
  try {
    fn();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

TEST(semaphore, has_one_permit_unless_said_otherwise) {
  on_one_loop([]() -> Coro<> {
    Semaphore semaphore;
    EXPECT_EQ(semaphore.value(), 1);
    EXPECT_FALSE(semaphore.locked());
    co_await semaphore.acquire();
    EXPECT_TRUE(semaphore.locked());
    EXPECT_EQ(semaphore.value(), 0);
    semaphore.release();
    EXPECT_FALSE(semaphore.locked());
  });
}

TEST(semaphore, refuses_a_negative_value) {
  const char* text = "Semaphore initial value must be >= 0";
  EXPECT_EQ(message_of<std::invalid_argument>([] { const Semaphore s(-1); }), text);
  EXPECT_EQ(message_of<std::invalid_argument>([] { const BoundedSemaphore s(-1); }), text);
}

TEST(semaphore, lets_in_as_many_as_it_has_permits) {
  on_loops([]() -> Coro<> {
    Semaphore semaphore(3);
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < 20; ++i)
        group.create_task([&]() -> Coro<> {
          for (int n = 0; n < 20; ++n) {
            auto guard = co_await semaphore.scoped();
            const int now = ++inside;
            EXPECT_LE(now, 3);
            for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
            }
            co_await kit::yield(n % 3);
            --inside;
          }
        });
      co_return;
    });
    EXPECT_EQ(most, 3);
    EXPECT_EQ(semaphore.value(), 3);
  });
}

TEST(semaphore, may_begin_without_permits_and_be_given_more) {
  on_loops([]() -> Coro<> {
    Semaphore semaphore(0);
    EXPECT_TRUE(semaphore.locked());
    auto task = create_task(semaphore.acquire());
    co_await kit::yield();
    EXPECT_FALSE(task.done());
    semaphore.release();
    co_await task;
    for (int i = 0; i < 5; ++i) semaphore.release();
    EXPECT_EQ(semaphore.value(), 5);
    for (int i = 0; i < 5; ++i) co_await semaphore.acquire();
    EXPECT_TRUE(semaphore.locked());
  });
}

TEST(semaphore, hands_permits_out_in_order) {
  on_one_loop([]() -> Coro<> {
    Semaphore semaphore(0);
    std::string log;
    std::vector<Task<>> tasks;
    for (char name = 'a'; name < 'f'; ++name)
      tasks.push_back(create_task(take(semaphore, log, name)));
    co_await kit::yield();
    semaphore.release();
    semaphore.release();
    EXPECT_EQ(semaphore.value(), 0) << "they are the waiters' already";
    co_await kit::yield();
    EXPECT_EQ(log, "ab");
    for (int i = 0; i < 3; ++i) semaphore.release();
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(log, "abcde");
  });
}

TEST(semaphore, gives_no_permit_to_a_newcomer_past_the_first_in_line) {
  on_one_loop([]() -> Coro<> {
    Semaphore semaphore(1);
    std::string log;
    co_await semaphore.acquire();
    auto waiter = create_task(take(semaphore, log, 'w'));
    co_await kit::yield();
    semaphore.release();
    EXPECT_TRUE(semaphore.locked());
    EXPECT_THROW(semaphore.acquire_nowait(), WouldBlock);
    auto newcomer = create_task(take(semaphore, log, 'n'));
    co_await kit::yield(2);
    EXPECT_EQ(log, "w");
    semaphore.release();
    co_await newcomer;
    EXPECT_EQ(log, "wn");
    co_await waiter;
  });
}

TEST(semaphore, bounded_refuses_more_than_it_had) {
  on_one_loop([]() -> Coro<> {
    BoundedSemaphore semaphore(2);
    const auto release = [&] { semaphore.release(); };
    const char* text = "BoundedSemaphore released too many times";
    EXPECT_EQ(message_of<std::invalid_argument>(release), text);
    co_await semaphore.acquire();
    co_await semaphore.acquire();
    EXPECT_EQ(message_of<std::invalid_argument>(release), "");
    EXPECT_EQ(message_of<std::invalid_argument>(release), "");
    EXPECT_EQ(message_of<std::invalid_argument>(release), text);
    Semaphore& as_base = semaphore;
    EXPECT_EQ(message_of<std::invalid_argument>([&] { as_base.release(); }), text);
    EXPECT_EQ(semaphore.value(), 2);
  });
}

TEST(semaphore, bounded_hands_permits_over_too) {
  on_loops([]() -> Coro<> {
    BoundedSemaphore semaphore(1);
    int inside = 0;
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < 8; ++i)
        group.create_task([&]() -> Coro<> {
          const auto guard = co_await semaphore.scoped();
          EXPECT_EQ(++inside, 1);
          co_await kit::yield();
          --inside;
        });
      co_return;
    });
    EXPECT_EQ(semaphore.value(), 1);
  });
}

TEST(semaphore, does_not_suspend_while_there_are_permits) {
  on_one_loop([]() -> Coro<> {
    Semaphore semaphore(2);
    bool other_ran = false;
    auto other = create_task([&]() -> Coro<> {
      other_ran = true;
      co_return;
    });
    current_task().cancel("later");
    co_await semaphore.acquire();
    co_await semaphore.acquire();
    EXPECT_FALSE(other_ran);
    EXPECT_EQ(co_await thrown_by<CancelledError>(semaphore.acquire()), "later");
    EXPECT_FALSE(other_ran) << "what is cancelled on its way in does not suspend either";
    current_task().uncancel();
    co_await other;
  });
}

TEST(semaphore, loses_no_permit_with_a_cancelled_waiter) {
  on_loops([]() -> Coro<> {
    Semaphore semaphore(0);
    auto first = create_task(semaphore.acquire());
    co_await kit::until([&] { return TaskRef(first).get()->suspended(); });
    auto second = create_task(semaphore.acquire());
    co_await kit::until([&] { return TaskRef(second).get()->suspended(); });
    first.cancel();
    semaphore.release();
    co_await second;
    co_await thrown_by<CancelledError>(first);
    EXPECT_EQ(semaphore.value(), 0);
    auto out = co_await move_on_after(1ms, [&]() -> Coro<> { co_await semaphore.acquire(); });
    EXPECT_TRUE(out.cancelled_caught());
    semaphore.release();
    EXPECT_EQ(semaphore.value(), 1);
  });
}

TEST(semaphore, keeps_a_permit_that_came_before_the_cancel) {
  on_one_loop([]() -> Coro<> {
    Semaphore semaphore(0);
    bool got_it = false;
    auto task = create_task([&]() -> Coro<> {
      const auto guard = co_await semaphore.scoped();
      got_it = true;
      co_await checkpoint();
      ADD_FAILURE() << "the cancel is lost";
    });
    co_await kit::yield();
    semaphore.release();
    task.cancel("too late");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "too late");
    EXPECT_TRUE(got_it);
    EXPECT_EQ(semaphore.value(), 1);
  });
}

TEST(semaphore, may_be_released_from_a_thread) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    Semaphore semaphore(0);
    std::thread giver([&] {
      for (int i = 0; i < 1000; ++i) semaphore.release();
    });
    for (int i = 0; i < 1000; ++i) co_await semaphore.acquire();
    giver.join();
    EXPECT_EQ(semaphore.value(), 0);
  });
}

TEST(semaphore, may_be_destroyed_by_the_one_who_gets_the_last_permit) {
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 200; ++i) {
      auto* semaphore = new Semaphore(0);
      auto task = create_task([semaphore, yields = i % 4]() -> Coro<> {
        co_await kit::yield(yields);
        co_await semaphore->acquire();
        delete semaphore;
      });
      co_await kit::yield(2);
      semaphore->release();
      co_await task;
    }
  });
}

TEST(semaphore_death, ends_the_program_when_it_is_destroyed_with_waiters) {
  KIT_USES_THREADS();
  EXPECT_DEATH(coil::run(
                   []() -> Coro<> {
                     auto semaphore = std::make_unique<Semaphore>(0);
                     auto task = create_task(semaphore->acquire());
                     co_await kit::yield();
                     semaphore.reset();
                   }(),
                   {.loops = 1}),
               "a Semaphore is destroyed while tasks wait for it");
}

}  // namespace
