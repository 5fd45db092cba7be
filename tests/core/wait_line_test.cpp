// What all who wait in line have in common.
#include <coil/barrier.hpp>
#include <coil/capacity_limiter.hpp>
#include <coil/condition.hpp>
#include <coil/event.hpp>
#include <coil/lock.hpp>
#include <coil/semaphore.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <string>
#include <vector>

using namespace coil;

namespace {

// What run() throws when all that is left waits for ever.
TEST(wait_line, names_what_a_task_waits_for_in_the_report_of_a_deadlock) {
  std::string message;
  try {
    coil::run(
        []() -> Coro<> {
          Lock lock;
          Semaphore semaphore(0);
          CapacityLimiter limiter(1);
          Event event;
          Condition condition;
          Barrier barrier(2);
          int other = 0;
          co_await lock.acquire();
          limiter.acquire_on_behalf_of_nowait(&other);
          std::vector<Task<>> tasks;
          tasks.push_back(create_task(semaphore.acquire(), {.name = "s"}));
          tasks.push_back(create_task(limiter.acquire(), {.name = "c"}));
          tasks.push_back(create_task(event.wait(), {.name = "e"}));
          tasks.push_back(create_task(
              [&condition]() -> Coro<> {
                const auto guard = co_await condition.scoped();
                co_await condition.wait();
              },
              {.name = "w"}));
          tasks.push_back(create_task([&barrier]() -> Coro<> { (void)co_await barrier.wait(); },
                                      {.name = "b"}));
          tasks.push_back(create_task(lock.acquire(), {.name = "l"}));
          // They are all cancelled; let them end before what they wait for goes.
          const auto end = [](Task<> task) -> Coro<> {
            try {
              co_await task;
            } catch (const CancelledError&) {
            }
          };
          for (auto& task : tasks) co_await end(task);
        }(),
        {.loops = 1, .backend = Backend::sim});
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  for (const char* part : {"'l' (lock)", "'s' (semaphore)", "'c' (capacity limiter)", "'e' (event)",
                           "'w' (condition)", "'b' (barrier)"})
    EXPECT_NE(message.find(part), std::string::npos) << part << " is not in: " << message;
}

// What with(lock, body) calls.
template <class T>
Coro<> enter_and_exit(T& manager) {
  co_await manager.aenter();
  EXPECT_TRUE(manager.locked());
  co_await kit::yield();
  co_await manager.aexit(nullptr);
  EXPECT_FALSE(manager.locked());
}

TEST(wait_line, its_types_are_async_context_managers) {
  kit::on_loops([]() -> Coro<> {
    Lock lock;
    co_await enter_and_exit(lock);
    Semaphore semaphore(1);
    co_await enter_and_exit(semaphore);
    Condition condition;
    co_await enter_and_exit(condition);
    CapacityLimiter limiter(1);
    co_await limiter.aenter();
    EXPECT_EQ(limiter.borrowed_tokens(), 1);
    co_await limiter.aexit(std::make_exception_ptr(1));
    EXPECT_EQ(limiter.borrowed_tokens(), 0);
    Barrier barrier(1);
    EXPECT_EQ(co_await barrier.aenter(), 0);
    co_await barrier.aexit(nullptr);
  });
}

}  // namespace
