// Handles of futures: who may read what after whom, blocking with limits, dropped promises.
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <limits>
#include <memory>
#include <string>
#include <thread>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

const std::string text(60, 'f');

TEST(future_handle, copies_when_it_is_named_and_moves_out_when_it_is_given_away) {
  on_loops([]() -> Coro<> {
    auto future = create_future<std::string>();
    future.set_result(text);
    const auto second = future;
    EXPECT_EQ(co_await future, text);
    EXPECT_EQ(future.result(), text);
    EXPECT_EQ(second.result(), text);
    EXPECT_EQ(co_await std::move(future), text);
    EXPECT_FALSE(future.valid());
    EXPECT_TRUE(second.done());
    (void)second.result();  // still there, with nothing in it
  });
}

TEST(future_handle, of_a_task_may_be_given_away_while_others_hold_it) {
  on_loops([]() -> Coro<> {
    auto task = create_task([]() -> Coro<std::unique_ptr<int>> {
      co_await kit::yield(2);
      co_return std::make_unique<int>(7);
    });
    const auto second = task;
    EXPECT_EQ(*co_await std::move(task), 7);
    EXPECT_TRUE(second.done());
    EXPECT_EQ(second.exception(), nullptr);
  });
}

TEST(future_handle, throws_a_failure_to_everybody_however_it_is_awaited) {
  on_loops([]() -> Coro<> {
    auto future = create_future<std::string>();
    const auto second = future;
    future.set_exception(std::logic_error("broken"));
    EXPECT_EQ(co_await thrown_by<std::logic_error>(std::move(future)), "broken");
    EXPECT_EQ(co_await thrown_by<std::logic_error>(second), "broken");
    EXPECT_EQ(co_await thrown_by<std::logic_error>(second), "broken");
  });
}

TEST(future_handle, throws_a_cancellation_with_its_text_to_everybody) {
  on_loops([]() -> Coro<> {
    auto future = create_future<int>();
    future.cancel("gone");
    for (int i = 0; i < 2; ++i) EXPECT_EQ(co_await thrown_by<CancelledError>(future), "gone");
    auto set = create_future<int>();
    set.set_exception(CancelledError("set"));
    EXPECT_TRUE(set.cancelled());
    EXPECT_EQ(co_await thrown_by<CancelledError>(set), "set");
  });
}

TEST(future_handle, takes_an_exception_or_a_pointer_to_one) {
  on_one_loop([]() -> Coro<> {
    auto a = create_future<>();
    a.set_exception(std::make_exception_ptr(std::logic_error("pointer")));
    EXPECT_EQ(co_await thrown_by<std::logic_error>(a), "pointer");
    auto b = create_future<>();
    EXPECT_THROW(b.set_exception(std::exception_ptr()), std::invalid_argument);
    EXPECT_FALSE(b.done());
    const std::runtime_error named("named");
    EXPECT_TRUE(b.try_set_exception(named));
    EXPECT_EQ(co_await thrown_by<std::runtime_error>(b), "named");
  });
}

TEST(future_handle, blocks_a_thread_with_any_limit) {
  KIT_USES_THREADS();
  const auto future = create_future<int>();
  EXPECT_FALSE(future.wait_for(1ms));
  EXPECT_FALSE(future.wait_for(0s));
  EXPECT_FALSE(future.wait_for(-1h));
  EXPECT_FALSE(future.wait_for(0.001s));
  const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW((void)future.wait_for(nan), std::invalid_argument);
  std::thread setter([future] {
    std::this_thread::sleep_for(2ms);
    future.set_result(4);
  });
  EXPECT_TRUE(future.wait_for(std::nullopt));
  EXPECT_TRUE(future.wait_for(std::chrono::hours::max()));
  EXPECT_EQ(future.get(), 4);
  setter.join();
}

TEST(future_handle, gives_a_blocked_thread_the_failure_or_the_cancellation) {
  KIT_USES_THREADS();
  const auto failed = create_future<int>();
  const auto cancelled = create_future<int>();
  std::thread setter([&] {
    std::this_thread::sleep_for(1ms);
    failed.set_exception(std::logic_error("no"));
    cancelled.cancel();
  });
  EXPECT_THROW((void)failed.get(), std::logic_error);
  EXPECT_THROW((void)cancelled.get(), CancelledError);
  setter.join();
}

TEST(future_handle, does_not_block_a_loop_but_gives_it_what_is_done) {
  on_one_loop([]() -> Coro<> {
    auto future = create_future<int>();
    EXPECT_THROW((void)future.get(), InvalidStateError);
    EXPECT_THROW((void)future.wait_for(1ms), InvalidStateError);
    future.set_result(5);
    EXPECT_EQ(future.get(), 5);
    EXPECT_TRUE(future.wait_for(0s));
    co_return;
  });
}

TEST(promise, that_is_dropped_breaks_its_future) {
  on_loops([]() -> Coro<> {
    Future<int> future;
    {
      const Promise<int> promise;
      future = promise.get_future();
    }
    co_await thrown_by<BrokenPromise>(future);
  });
}

TEST(promise, that_nobody_asked_of_is_dropped_in_silence) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    {
      const Promise<int> promise;
    }
    {
      (void)Promise<int>().get_future();
    }
    EXPECT_EQ(reports.count("never retrieved"), 0) << reports.text();
    co_return;
  });
}

TEST(promise, may_be_moved_and_is_broken_when_another_takes_its_place) {
  on_one_loop([]() -> Coro<> {
    Promise<int> promise;
    auto first = promise.get_future();
    promise = Promise<int>();
    co_await thrown_by<BrokenPromise>(first);
    auto second = promise.get_future();
    Promise<int> moved = std::move(promise);
    moved.set_result(3);
    EXPECT_THROW(moved.set_result(4), InvalidStateError);
    EXPECT_FALSE(moved.try_set_exception(std::logic_error("late")));
    EXPECT_EQ(co_await second, 3);
  });
}

TEST(promise, writes_what_a_future_can_be_written) {
  const Promise<int> with_result;
  EXPECT_FALSE(with_result.done());
  with_result.set_result(1);
  EXPECT_TRUE(with_result.done());
  EXPECT_FALSE(with_result.cancelled());
  EXPECT_EQ(with_result.get_future().result(), 1);
  EXPECT_THROW(with_result.set_result(2), InvalidStateError);
  EXPECT_FALSE(with_result.try_set_result(2));
  EXPECT_FALSE(with_result.try_set_exception(std::logic_error("late")));
  EXPECT_FALSE(with_result.cancel());
  EXPECT_EQ(with_result.get_future().result(), 1);

  const Promise<> failed;
  failed.set_exception(std::logic_error("broken"));
  EXPECT_THROW(failed.get_future().result(), std::logic_error);
  EXPECT_THROW(failed.set_exception(std::logic_error("late")), InvalidStateError);
  EXPECT_THROW(failed.set_exception(std::exception_ptr()), std::invalid_argument);

  const Promise<> cancelled;
  EXPECT_TRUE(cancelled.cancel("never mind"));
  EXPECT_TRUE(cancelled.cancelled());
  EXPECT_FALSE(cancelled.try_set_result());
  EXPECT_THROW(cancelled.get_future().result(), CancelledError);
}

TEST(future_handle, that_is_empty_says_so) {
  const Future<int> empty;
  EXPECT_FALSE(empty.valid());
  EXPECT_FALSE(static_cast<bool>(empty));
  EXPECT_EQ(empty, Future<int>());
  EXPECT_THROW((void)empty.done(), InvalidStateError);
  EXPECT_THROW((void)empty.result(), InvalidStateError);
  EXPECT_THROW((void)empty.cancel(), InvalidStateError);
  EXPECT_THROW(empty.set_result(1), InvalidStateError);
  EXPECT_THROW((void)empty.get(), InvalidStateError);
  EXPECT_TRUE(create_future<int>().valid());
  EXPECT_TRUE(Future<int>::shares_result);
  EXPECT_FALSE(Future<std::unique_ptr<int>>::shares_result) << "comes out by moving only";
}

}  // namespace
