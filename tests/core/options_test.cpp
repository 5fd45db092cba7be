// Options, results and handles that a program keeps in variables and members of its own, and
// scopes, which it cannot keep.
#include <coil/as_completed.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/context.hpp>
#include <coil/memory_channel.hpp>
#include <coil/nursery.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <coil/wait.hpp>
#include <kit/loops.hpp>
#include <string>
#include <type_traits>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using namespace std::chrono_literals;

namespace {

TEST(options, of_a_task_may_be_made_ahead_and_used_again) {
  on_one_loop([]() -> Coro<> {
    ContextVar<int> number("number", 0);
    TaskOptions options;
    EXPECT_TRUE(options.name.empty());
    EXPECT_FALSE(options.context);
    EXPECT_EQ(options.affinity, Affinity::any);
    EXPECT_FALSE(options.eager);
    options.name = "worker";
    options.context = Context();
    options.affinity = Affinity::loop;
    options.eager = true;
    int runs = 0;
    for (int i = 0; i < 2; ++i) {
      auto task = create_task(
          [&]() -> Coro<int> {
            ++runs;
            number.set(number.get() + 1);
            co_return number.get();
          },
          options);
      EXPECT_EQ(runs, i + 1) << "eager: it has run when create_task returns";
      EXPECT_EQ(task.name(), "worker");
      EXPECT_EQ(co_await task, i + 1) << "both run in the one context that they were given";
    }
    EXPECT_EQ(number.get(), 0);
    EXPECT_EQ(options.context->get(number), 2);
    EXPECT_TRUE(options.context->contains(number));
    EXPECT_EQ((*options.context)[number], 2);
  });
}

TEST(options, of_wait_may_be_made_ahead_and_its_result_kept) {
  on_loops([]() -> Coro<> {
    const WaitOptions defaults;
    EXPECT_EQ(defaults.return_when, ReturnWhen::ALL_COMPLETED);
    EXPECT_FALSE(defaults.timeout.has_value());
    WaitOptions options;
    options.timeout = 10s;
    options.return_when = ReturnWhen::FIRST_COMPLETED;
    auto quick = create_task(sleep(0ms, 1));
    auto slow = create_task([]() -> Coro<int> {
      co_await sleep_forever();
      co_return 2;
    });
    const WaitResult<Task<int>> first = co_await wait({quick, slow}, options);
    EXPECT_EQ(first.done, std::vector{quick});
    EXPECT_EQ(first.pending, std::vector{slow});
    options.return_when = ReturnWhen::FIRST_EXCEPTION;
    slow.cancel();
    const WaitResult<Task<int>> second = co_await wait(first.pending, options);
    EXPECT_EQ(second.done, std::vector{slow});
    EXPECT_TRUE(second.pending.empty());
  });
}

TEST(options, of_a_scope_may_be_made_ahead_and_its_result_kept) {
  on_loops([]() -> Coro<> {
    CancelScopeOptions options;
    EXPECT_EQ(options.deadline, TimePoint::max());
    EXPECT_FALSE(options.shield);
    options.shield = true;
    options.deadline = Clock::now() + 1h;
    auto body = [&](CancelScope& scope) -> Coro<int> {
      EXPECT_TRUE(scope.shield());
      EXPECT_EQ(scope.deadline(), options.deadline);
      co_return 7;
    };
    const CancelResult<int> whole = co_await with_cancel_scope(body, options);
    EXPECT_TRUE(whole.has_value());
    EXPECT_FALSE(whole.cancelled_caught());
    EXPECT_EQ(whole.value(), 7);
    const CancelResult<int> cut = co_await with_cancel_scope([](CancelScope& scope) -> Coro<int> {
      scope.cancel();
      co_await checkpoint();
      co_return 1;
    });
    EXPECT_FALSE(cut.has_value());
    EXPECT_TRUE(cut.cancelled_caught());
    EXPECT_THROW((void)cut.value(), std::bad_optional_access);
  });
}

// fn of scopes and time limits takes what it is told about, or nothing.
TEST(options, bodies_of_scopes_and_limits_may_take_nothing) {
  on_loops([]() -> Coro<> {
    auto body = []() -> Coro<int> {
      co_await checkpoint();
      co_return 1;
    };
    const TimePoint later = get_running_loop().time() + 1h;
    EXPECT_EQ((co_await with_cancel_scope(body)).value(), 1);
    EXPECT_EQ((co_await move_on_after(1h, body)).value(), 1);
    EXPECT_EQ((co_await move_on_at(later, body)).value(), 1);
    EXPECT_EQ(co_await fail_after(1h, body), 1);
    EXPECT_EQ(co_await fail_at(later, body), 1);
    EXPECT_EQ(co_await timeout(1h, body), 1);
    EXPECT_EQ(co_await timeout_at(later, body), 1);
    auto scoped = [](CancelScope& scope) -> Coro<bool> { co_return scope.cancel_called(); };
    EXPECT_FALSE((co_await move_on_after(1h, scoped)).value());
    EXPECT_FALSE((co_await move_on_at(later, scoped)).value());
    EXPECT_FALSE(co_await fail_after(1h, scoped));
    EXPECT_FALSE(co_await fail_at(later, scoped));
  });
}

TEST(options, scopes_groups_nurseries_and_timeouts_can_be_neither_copied_nor_moved) {
  static_assert(!std::is_copy_constructible_v<CancelScope>);
  static_assert(!std::is_move_constructible_v<CancelScope>);
  static_assert(!std::is_move_assignable_v<CancelScope>);
  static_assert(!std::is_copy_constructible_v<TaskGroup>);
  static_assert(!std::is_move_constructible_v<TaskGroup>);
  static_assert(!std::is_move_assignable_v<TaskGroup>);
  static_assert(!std::is_copy_constructible_v<Nursery>);
  static_assert(!std::is_move_constructible_v<Nursery>);
  static_assert(!std::is_move_assignable_v<Nursery>);
  static_assert(!std::is_copy_constructible_v<Timeout>);
  static_assert(!std::is_move_constructible_v<Timeout>);
  static_assert(!std::is_move_assignable_v<Timeout>);
  static_assert(std::is_copy_constructible_v<Canceller>);
}

// What a class of the user's own holds.
struct Held {
  MemorySendChannel<int> sender;
  MemoryReceiveChannel<int> receiver;
  AsCompleted<Task<int>> rest;
  Token<int> token;
};

TEST(options, channels_iterators_and_tokens_may_be_members) {
  on_loops([]() -> Coro<> {
    ContextVar<int> number("number", 1);
    MemoryChannel<int> channel = open_memory_channel<int>(1);
    Held held{std::move(channel.sender), std::move(channel.receiver),
              as_completed({create_task(sleep(0ms, 5))}), number.set(2)};
    EXPECT_THROW(channel.sender.send_nowait(0), ClosedResourceError) << "moved from";
    co_await held.sender.send(3);
    EXPECT_EQ(co_await held.receiver.receive(), 3);
    held.sender.close();
    EXPECT_FALSE(co_await held.receiver.next());
    held.receiver.close();
    EXPECT_THROW((void)held.receiver.receive_nowait(), ClosedResourceError);
    EXPECT_EQ((co_await held.rest.next())->result(), 5);
    EXPECT_FALSE(co_await held.rest.next());
    number.reset(held.token);
    EXPECT_EQ(number.get(), 1);
  });
}

}  // namespace
