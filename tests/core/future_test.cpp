// Future and Promise: one completion, from anywhere; every waiter hears of it once.
#include <atomic>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using namespace std::chrono_literals;

namespace {

TEST(future, gives_what_was_set) {
  on_loops([]() -> Coro<> {
    auto future = create_future<std::string>();
    EXPECT_FALSE(future.done());
    auto setter = create_task([future]() -> Coro<> {
      future.set_result("text");
      co_return;
    });
    EXPECT_EQ(co_await future, "text");
    EXPECT_EQ(future.result(), "text");
    EXPECT_EQ(co_await std::move(future), "text");
    co_await setter;
  });
}

TEST(future, is_made_by_a_loop_too) {
  on_loops([]() -> Coro<> {
    Loop& loop = get_running_loop();
    const Future<int> number = loop.create_future<int>();
    const Future<> signal = loop.create_future();
    loop.call_soon([=] {
      number.set_result(3);
      signal.set_result();
    });
    co_await signal;
    EXPECT_EQ(co_await number, 3);
  });
}

TEST(future, takes_a_result_from_a_foreign_thread) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 50; ++i) {
      auto future = create_future<int>();
      std::thread thread([future, i] { future.set_result(i); });
      EXPECT_EQ(co_await future, i);
      thread.join();
    }
  });
}

TEST(future, is_completed_only_once) {
  on_one_loop([]() -> Coro<> {
    auto future = create_future<int>();
    future.set_result(1);
    EXPECT_THROW(future.set_result(2), InvalidStateError);
    EXPECT_THROW(future.set_exception(std::runtime_error("x")), InvalidStateError);
    EXPECT_FALSE(future.try_set_result(3));
    EXPECT_FALSE(future.try_set_exception(std::runtime_error("x")));
    EXPECT_FALSE(future.cancel());
    EXPECT_EQ(co_await future, 1);
  });
}

TEST(future, lets_one_of_many_setters_win) {
  KIT_USES_THREADS();
  on_one_loop([]() -> Coro<> {
    for (int round = 0; round < 30; ++round) {
      auto future = create_future<int>();
      std::atomic<int> wins{0};
      std::atomic<int> winner{-1};
      std::vector<std::thread> threads;
      for (int i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
          if (future.try_set_result(i)) {
            ++wins;
            winner = i;
          }
        });
      const int value = co_await future;
      for (auto& thread : threads) thread.join();
      EXPECT_EQ(wins, 1);
      EXPECT_EQ(winner, value);
    }
  });
}

TEST(future, throws_the_exception_that_was_set) {
  on_loops([]() -> Coro<> {
    auto by_value = create_future<int>();
    by_value.set_exception(std::out_of_range("far"));
    EXPECT_EQ(co_await kit::thrown_by<std::out_of_range>(by_value), "far");
    auto by_pointer = create_future<>();
    by_pointer.set_exception(std::make_exception_ptr(std::domain_error("odd")));
    EXPECT_EQ(co_await kit::thrown_by<std::domain_error>(by_pointer), "odd");
    EXPECT_NE(by_pointer.exception(), nullptr);
    auto null = create_future<>();
    EXPECT_THROW(null.set_exception(std::exception_ptr()), std::invalid_argument);
    EXPECT_FALSE(null.done());
  });
}

TEST(future, says_when_it_has_no_result_yet) {
  auto future = create_future<int>();
  EXPECT_THROW((void)future.result(), InvalidStateError);
  EXPECT_THROW((void)future.exception(), InvalidStateError);
  EXPECT_THROW((void)Future<int>().result(), InvalidStateError);
}

TEST(future, may_be_cancelled) {
  on_loops([]() -> Coro<> {
    auto future = create_future<int>();
    auto waiter = create_task([future]() -> Coro<int> { co_return co_await future; });
    co_await kit::yield(2);
    EXPECT_TRUE(future.cancel("no more"));
    EXPECT_FALSE(future.cancel());
    EXPECT_TRUE(future.cancelled());
    EXPECT_EQ(co_await kit::thrown_by<CancelledError>(waiter), "no more");
    EXPECT_TRUE(waiter.cancelled());
    EXPECT_THROW((void)future.result(), CancelledError);
  });
}

TEST(future, is_cancelled_with_the_task_that_awaits_it) {
  on_loops([]() -> Coro<> {
    auto future = create_future<int>();
    auto waiter = create_task([future]() -> Coro<int> { co_return co_await future; });
    co_await kit::until([&] { return TaskRef(waiter).get()->suspended(); });
    waiter.cancel("with me");
    EXPECT_EQ(co_await kit::thrown_by<CancelledError>(waiter), "with me");
    EXPECT_TRUE(future.cancelled());
  });
}

TEST(future, wakes_its_waiters_first_come_first_served) {
  on_one_loop([]() -> Coro<> {
    auto future = create_future<>();
    std::vector<int> order;
    std::vector<Task<>> waiters;
    for (int i = 0; i < 5; ++i)
      waiters.push_back(create_task(
          [](Future<> f, std::vector<int>& o, int n) -> Coro<> {
            co_await f;
            o.push_back(n);
          },
          future, std::ref(order), i));
    co_await kit::yield();
    future.set_result();
    EXPECT_TRUE(order.empty()) << "set_result ran a waiter inline";
    for (auto& waiter : waiters) co_await waiter;
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
  });
}

TEST(future, wakes_waiters_on_every_loop) {
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 20; ++round) {
      auto future = create_future<int>();
      std::vector<Task<int>> waiters;
      for (int i = 0; i < 16; ++i)
        waiters.push_back(create_task([future]() -> Coro<int> { co_return co_await future; }));
      co_await kit::yield(round % 4);
      future.set_result(round);
      for (auto& waiter : waiters) EXPECT_EQ(co_await waiter, round);
    }
  });
}

TEST(future, may_be_destroyed_by_the_waiter_it_wakes) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 200; ++i) {
      auto promise = std::make_unique<Promise<int>>();
      auto waiter = create_task([](Future<int> f) -> Coro<int> { co_return co_await f; },
                                promise->get_future());
      std::thread thread([p = std::move(promise), i] { p->set_result(i); });
      EXPECT_EQ(co_await waiter, i);
      thread.join();
    }
  });
}

TEST(future, holds_a_move_only_result) {
  on_loops([]() -> Coro<> {
    auto future = create_future<std::unique_ptr<int>>();
    future.set_result(std::make_unique<int>(5));
    const auto owned = co_await std::move(future);
    EXPECT_EQ(*owned, 5);
  });
}

TEST(future, blocks_a_thread_that_is_no_loop) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    auto future = create_future<int>();
    auto seen = create_future<int>();
    std::atomic<bool> waited{false};
    std::thread thread([future, seen, &waited] {
      EXPECT_FALSE(future.wait_for(1ms));
      waited = true;
      seen.set_result(future.get() + 1);
    });
    co_await kit::until([&] { return waited.load(); });
    future.set_result(1);
    EXPECT_EQ(co_await seen, 2);
    thread.join();
    EXPECT_TRUE(future.wait_for(0s));
    EXPECT_EQ(future.get(), 1);
  });
}

TEST(future, does_not_block_a_loop) {
  on_one_loop([]() -> Coro<> {
    auto future = create_future<int>();
    EXPECT_THROW((void)future.get(), InvalidStateError);
    EXPECT_THROW((void)future.wait_for(1s), InvalidStateError);
    co_return;
  });
}

TEST(future, works_without_any_loop) {
  KIT_USES_THREADS();
  auto future = create_future<int>();
  int seen = 0;
  future.add_done_callback([&](const Future<int>& f) { seen = f.result(); });
  std::thread thread([future] { future.set_result(3); });
  EXPECT_EQ(future.get(), 3);
  thread.join();
  EXPECT_EQ(seen, 3);
}

TEST(future, hears_of_a_dropped_promise) {
  on_loops([]() -> Coro<> {
    Future<int> future;
    {
      const Promise<int> promise;
      future = promise.get_future();
    }
    co_await kit::thrown_by<BrokenPromise>(future);
    Promise<int> moved;
    auto other = moved.get_future();
    {
      const Promise<int> taker = std::move(moved);
      EXPECT_FALSE(other.done());
      taker.set_result(2);
    }
    EXPECT_EQ(co_await other, 2);
  });
}

TEST(future, forgets_callbacks_when_nobody_can_complete_it) {
  auto probe = std::make_shared<int>(1);
  {
    auto future = create_future<>();
    future.add_done_callback([probe](const Future<>&) { ADD_FAILURE() << "called"; });
    EXPECT_EQ(probe.use_count(), 2);
  }
  EXPECT_EQ(probe.use_count(), 1);
}

TEST(future, survives_a_value_that_cannot_be_built) {
  struct Refuser {
    explicit Refuser(bool refuse) {
      if (refuse) throw std::runtime_error("refused");
    }
  };
  auto future = create_future<Refuser>();
  EXPECT_THROW(future.set_result(true), std::runtime_error);
  EXPECT_FALSE(future.done());
  future.set_result(false);
  EXPECT_TRUE(future.done());
}

}  // namespace
