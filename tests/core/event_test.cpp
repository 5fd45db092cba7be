// Event: everybody waits until it is set.
#include <atomic>
#include <coil/cancel_scope.hpp>
#include <coil/event.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
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

Coro<> wait_and_log(Event& event, std::string& log, char name) {
  co_await event.wait();
  log += name;
}

TEST(event, is_set_and_cleared) {
  on_one_loop([]() -> Coro<> {
    Event event;
    EXPECT_FALSE(event.is_set());
    event.set();
    event.set();
    EXPECT_TRUE(event.is_set());
    co_await event.wait();
    event.clear();
    EXPECT_FALSE(event.is_set());
    event.clear();
    EXPECT_EQ(co_await thrown_by<TimeoutError>(wait_for(event.wait(), 1ms)), "timed out");
  });
}

TEST(event, wakes_all_who_wait_in_order) {
  on_one_loop([]() -> Coro<> {
    Event event;
    std::string log;
    std::vector<Task<>> tasks;
    for (char name = 'a'; name < 'e'; ++name)
      tasks.push_back(create_task(wait_and_log(event, log, name)));
    co_await kit::yield();
    EXPECT_EQ(log, "");
    event.set();
    EXPECT_EQ(log, "") << "soon, not now";
    co_await kit::yield();
    EXPECT_EQ(log, "abcd");
  });
}

TEST(event, wakes_waiters_of_every_loop) {
  on_loops([]() -> Coro<> {
    Event event;
    int data = 0;
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 100; ++i)
      tasks.push_back(create_task([&]() -> Coro<int> {
        co_await event.wait();
        co_return data;
      }));
    co_await kit::yield(2);
    data = 7;  // what is written before set() is seen after wait()
    event.set();
    for (auto& task : tasks) EXPECT_EQ(co_await task, 7);
  });
}

TEST(event, does_not_suspend_while_it_is_set) {
  on_one_loop([]() -> Coro<> {
    Event event;
    event.set();
    bool other_ran = false;
    auto other = create_task([&]() -> Coro<> {
      other_ran = true;
      co_return;
    });
    current_task().cancel("later");
    for (int i = 0; i < 5; ++i) co_await event.wait();
    EXPECT_FALSE(other_ran);
    EXPECT_EQ(co_await thrown_by<CancelledError>(checkpoint()), "later");
    current_task().uncancel();
    co_await other;
  });
}

// asyncio: who was woken has not waited in vain.
TEST(event, lets_through_whom_it_woke_even_if_it_is_cleared_at_once) {
  on_loops([]() -> Coro<> {
    Event event;
    auto task = create_task(event.wait());
    co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
    event.set();
    event.clear();
    co_await task;
    EXPECT_FALSE(event.is_set());
  });
}

TEST(event, forgets_a_cancelled_waiter) {
  on_loops([]() -> Coro<> {
    Event event;
    auto task = create_task(event.wait());
    auto other = create_task(event.wait());
    co_await kit::until([&] { return TaskRef(task).get()->suspended(); });
    task.cancel("no more");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "no more");
    auto result = co_await move_on_after(1ms, [&]() -> Coro<> { co_await event.wait(); });
    EXPECT_TRUE(result.cancelled_caught());
    event.set();
    co_await other;
  });
}

TEST(event, that_came_before_the_cancel_is_delivered) {
  on_one_loop([]() -> Coro<> {
    Event event;
    bool through = false;
    auto task = create_task([&]() -> Coro<> {
      co_await event.wait();
      through = true;
      co_await checkpoint();
      ADD_FAILURE() << "the cancel is lost";
    });
    co_await kit::yield();
    event.set();
    task.cancel("too late");
    EXPECT_EQ(co_await thrown_by<CancelledError>(task), "too late");
    EXPECT_TRUE(through);
  });
}

TEST(event, may_be_set_by_a_thread_and_by_a_callback) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 20; ++i) {
      Event event;
      std::thread setter([&] { event.set(); });
      co_await event.wait();
      setter.join();
      Event other;
      get_running_loop().call_soon([&] { other.set(); });
      co_await other.wait();
    }
  });
}

// A waiter that finds it set, without having slept, is no less in the right.
TEST(event, may_be_destroyed_by_whoever_sees_it_set) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 100; ++i) {
      auto* event = new Event;
      std::atomic<bool> go{false};
      std::thread setter([&go, event] {
        while (!go) std::this_thread::yield();
        event->set();
      });
      go = true;
      for (int spins = i % 50 * 20; spins > 0; --spins) detail::spin_pause();
      co_await event->wait();
      delete event;
      setter.join();
    }
  });
}

// Whoever clears before he looks, and waits if there is nothing, misses nothing.
TEST(event, tells_of_everything_that_was_made_before_it_was_set) {
  on_loops([]() -> Coro<> {
    constexpr int items = 2000;
    Event event;
    std::atomic<int> made{0};
    auto maker = create_task([&]() -> Coro<> {
      for (int i = 0; i < items; ++i) {
        made.fetch_add(1, std::memory_order_relaxed);
        event.set();
        if (i % 7 == 0) co_await kit::yield();
      }
    });
    for (int taken = 0; taken < items;) {
      event.clear();
      const int there = made.load(std::memory_order_relaxed);
      if (there == taken) co_await event.wait();
      taken = there;
    }
    co_await maker;
  });
}

TEST(event, may_be_waited_for_through_what_takes_an_awaitable) {
  on_loops([]() -> Coro<> {
    Event event;
    std::vector<Task<>> tasks;
    tasks.push_back(create_task(event.wait()));
    auto both = create_task([&]() -> Coro<> { co_await gather(event.wait(), event.wait()); });
    co_await kit::yield();
    event.set();
    co_await wait_for(event.wait(), 1h);
    co_await tasks[0];
    co_await both;
  });
}

TEST(event_death, ends_the_program_when_it_is_destroyed_with_waiters) {
  KIT_USES_THREADS();
  EXPECT_DEATH(coil::run(
                   []() -> Coro<> {
                     auto event = std::make_unique<Event>();
                     auto task = create_task(event->wait());
                     co_await kit::yield();
                     event.reset();
                   }(),
                   {.loops = 1}),
               "an Event is destroyed while tasks wait for it");
}

}  // namespace
