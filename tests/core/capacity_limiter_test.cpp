// CapacityLimiter: so many at a time, each at most once.
#include <algorithm>
#include <atomic>
#include <coil/cancel_scope.hpp>
#include <coil/capacity_limiter.hpp>
#include <coil/detail/address_set.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <coil/would_block.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

constexpr const char* holds_one =
    "this borrower is already holding one of this CapacityLimiter's tokens";
constexpr const char* holds_none =
    "this borrower isn't holding any of this CapacityLimiter's tokens";

template <class E, class Fn>
std::string message_of(Fn fn) {
  try {
    fn();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

Coro<> borrow(CapacityLimiter& limiter, std::string& log, char name) {
  const auto guard = co_await limiter.scoped();
  log += name;
  co_await kit::yield();
}

TEST(capacity_limiter, refuses_a_total_below_one) {
  for (const int total : {0, -1})
    EXPECT_NE(message_of<std::invalid_argument>([&] {
                const CapacityLimiter l(total);
              }).find("total_tokens must be >= 1"),
              std::string::npos);
  CapacityLimiter limiter(2);
  EXPECT_NE(message_of<std::invalid_argument>([&] { limiter.set_total_tokens(0); }), "");
  EXPECT_EQ(limiter.total_tokens(), 2);
}

TEST(capacity_limiter, counts_its_tokens) {
  on_one_loop([]() -> Coro<> {
    CapacityLimiter limiter(2);
    EXPECT_EQ(limiter.total_tokens(), 2);
    EXPECT_EQ(limiter.available_tokens(), 2);
    co_await limiter.acquire();
    int other = 0;
    limiter.acquire_on_behalf_of_nowait(&other);
    EXPECT_EQ(limiter.borrowed_tokens(), 2);
    EXPECT_EQ(limiter.available_tokens(), 0);
    limiter.release();
    limiter.release_on_behalf_of(&other);
    EXPECT_EQ(limiter.borrowed_tokens(), 0);
    EXPECT_EQ(limiter.available_tokens(), 2);
  });
}

TEST(capacity_limiter, lets_in_as_many_as_it_has_tokens) {
  on_loops([]() -> Coro<> {
    CapacityLimiter limiter(3);
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < 20; ++i)
        group.create_task([&]() -> Coro<> {
          for (int n = 0; n < 20; ++n) {
            const auto guard = co_await limiter.scoped();
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
    EXPECT_EQ(limiter.borrowed_tokens(), 0);
  });
}

TEST(capacity_limiter, gives_nobody_two_tokens) {
  on_one_loop([]() -> Coro<> {
    CapacityLimiter limiter(5);
    co_await limiter.acquire();
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(limiter.acquire()), holds_one);
    EXPECT_EQ(message_of<std::runtime_error>([&] { limiter.acquire_nowait(); }), holds_one);
    EXPECT_EQ(limiter.borrowed_tokens(), 1);
    limiter.release();
    limiter.acquire_nowait();
    limiter.release();
  });
}

TEST(capacity_limiter, takes_no_token_from_one_who_has_none) {
  on_one_loop([]() -> Coro<> {
    CapacityLimiter limiter(1);
    int other = 0;
    const auto release = [&] { limiter.release(); };
    EXPECT_EQ(message_of<std::runtime_error>(release), holds_none);
    co_await limiter.acquire_on_behalf_of(&other);
    EXPECT_EQ(message_of<std::runtime_error>(release), holds_none) << "it is the other's";
    EXPECT_EQ(message_of<std::invalid_argument>([&] { limiter.release_on_behalf_of(nullptr); }),
              "CapacityLimiter: the borrower must not be null");
    EXPECT_EQ(
        message_of<std::invalid_argument>([&] { (void)limiter.acquire_on_behalf_of(nullptr); }),
        "CapacityLimiter: the borrower must not be null");
    EXPECT_THROW(limiter.acquire_nowait(), WouldBlock);
    limiter.release_on_behalf_of(&other);
    limiter.acquire_nowait();
    limiter.release();
  });
}

TEST(capacity_limiter, outside_a_task_needs_a_borrower) {
  CapacityLimiter limiter(1);
  EXPECT_NE(message_of<std::runtime_error>([&] { limiter.acquire_nowait(); }).find("not inside"),
            std::string::npos);
  int thing = 0;
  limiter.acquire_on_behalf_of_nowait(&thing);
  limiter.release_on_behalf_of(&thing);
}

TEST(capacity_limiter, hands_tokens_out_in_order_past_no_one) {
  on_one_loop([]() -> Coro<> {
    CapacityLimiter limiter(1);
    std::string log;
    co_await limiter.acquire();
    std::vector<Task<>> tasks;
    for (char name = 'a'; name < 'e'; ++name)
      tasks.push_back(create_task(borrow(limiter, log, name)));
    co_await kit::yield();
    limiter.release();
    EXPECT_THROW(limiter.acquire_nowait(), WouldBlock) << "it is the first waiter's";
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(log, "abcd");
  });
}

TEST(capacity_limiter, more_tokens_let_more_in_and_fewer_let_nobody_in_until_enough_are_back) {
  on_one_loop([]() -> Coro<> {
    CapacityLimiter limiter(1);
    std::vector<int> things(6);
    std::vector<Task<>> tasks;
    for (auto& thing : things) tasks.push_back(create_task(limiter.acquire_on_behalf_of(&thing)));
    co_await kit::yield(2);
    EXPECT_EQ(limiter.borrowed_tokens(), 1);
    limiter.set_total_tokens(4);
    EXPECT_EQ(limiter.borrowed_tokens(), 4);
    co_await tasks[3];
    limiter.set_total_tokens(2);
    EXPECT_EQ(limiter.available_tokens(), -2);
    limiter.release_on_behalf_of(&things[0]);
    limiter.release_on_behalf_of(&things[1]);
    co_await kit::yield(2);
    EXPECT_FALSE(tasks[4].done());
    EXPECT_EQ(limiter.borrowed_tokens(), 2);
    limiter.release_on_behalf_of(&things[2]);
    co_await tasks[4];
    limiter.release_on_behalf_of(&things[3]);
    co_await tasks[5];
    limiter.release_on_behalf_of(&things[4]);
    limiter.release_on_behalf_of(&things[5]);
    EXPECT_EQ(limiter.available_tokens(), 2);
  });
}

TEST(capacity_limiter, tells_the_second_in_line_for_one_borrower) {
  on_one_loop([]() -> Coro<> {
    CapacityLimiter limiter(1);
    int thing = 0;
    int third = 0;
    co_await limiter.acquire();
    auto first = create_task(limiter.acquire_on_behalf_of(&thing));
    auto second = create_task(limiter.acquire_on_behalf_of(&thing));
    auto other = create_task(limiter.acquire_on_behalf_of(&third));
    co_await kit::yield();
    limiter.set_total_tokens(2);
    co_await first;
    limiter.release();
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(second), holds_one);
    co_await other;
    EXPECT_EQ(limiter.borrowed_tokens(), 2);
  });
}

TEST(capacity_limiter, loses_no_token_with_a_cancelled_waiter) {
  on_loops([]() -> Coro<> {
    CapacityLimiter limiter(1);
    std::string log;
    co_await limiter.acquire();
    auto first = create_task(borrow(limiter, log, '1'));
    co_await kit::until([&] { return TaskRef(first).get()->suspended(); });
    auto second = create_task(borrow(limiter, log, '2'));
    co_await kit::until([&] { return TaskRef(second).get()->suspended(); });
    auto out = co_await move_on_after(1ms, [&]() -> Coro<> {
      int thing = 0;
      co_await limiter.acquire_on_behalf_of(&thing);
    });
    EXPECT_TRUE(out.cancelled_caught());
    first.cancel();
    limiter.release();
    co_await second;
    co_await thrown_by<CancelledError>(first);
    EXPECT_EQ(log, "2");
    EXPECT_EQ(limiter.available_tokens(), 1);
  });
}

TEST(capacity_limiter, guard_gives_back_wherever_it_ends) {
  on_loops([]() -> Coro<> {
    CapacityLimiter limiter(2);
    {
      auto guard = co_await limiter.scoped();
      auto moved = std::move(guard);
      EXPECT_FALSE(guard);  // NOLINT(bugprone-use-after-move): tested
      EXPECT_TRUE(moved);
      EXPECT_EQ(limiter.borrowed_tokens(), 1);
      auto& same = moved;
      moved = std::move(same);
      EXPECT_TRUE(moved);
      co_await create_task(
          [](CapacityLimiter::Guard mine) -> Coro<> {
            mine.release();
            co_return;
          },
          std::move(moved));
      EXPECT_EQ(limiter.borrowed_tokens(), 0);
    }
    EXPECT_EQ(limiter.borrowed_tokens(), 0);
    (void)co_await wait_for(limiter.scoped(), 1h);
    EXPECT_EQ(limiter.borrowed_tokens(), 0);
  });
}

TEST(capacity_limiter, does_not_suspend_while_there_are_tokens) {
  on_one_loop([]() -> Coro<> {
    CapacityLimiter limiter(1);
    current_task().cancel("later");
    co_await limiter.acquire();
    int other = 0;
    EXPECT_EQ(co_await thrown_by<CancelledError>(limiter.acquire_on_behalf_of(&other)), "later");
    current_task().uncancel();
    limiter.release();
  });
}

TEST(address_set, does_what_std_set_does) {
  detail::AddressSet set;
  std::set<const void*> expected;
  std::vector<char> things(400);
  std::mt19937 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const void* thing = &things[random() % (i % 1000 < 500 ? 400 : 20)];
    EXPECT_EQ(set.contains(thing), expected.contains(thing));
    if (random() % 2 == 0) {
      set.reserve(set.size() + 1);
      EXPECT_EQ(set.insert(thing), expected.insert(thing).second);
    } else {
      EXPECT_EQ(set.erase(thing), expected.erase(thing) == 1);
    }
    ASSERT_EQ(set.size(), expected.size());
  }
}

TEST(capacity_limiter_death, ends_the_program_when_it_is_destroyed_with_waiters) {
  KIT_USES_THREADS();
  EXPECT_DEATH(coil::run(
                   []() -> Coro<> {
                     auto limiter = std::make_unique<CapacityLimiter>(1);
                     co_await limiter->acquire();
                     auto task = create_task(limiter->acquire());
                     co_await kit::yield();
                     limiter.reset();
                   }(),
                   {.loops = 1}),
               "a CapacityLimiter is destroyed while tasks wait for it");
}

}  // namespace
