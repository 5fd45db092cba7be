// Awaitable and AwaitResult: what may stand behind co_await, and what comes of it.
#include <coil/awaitable.hpp>
#include <coil/event.hpp>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/queue.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <concepts>
#include <coroutine>
#include <kit/loops.hpp>
#include <memory>
#include <string>

using namespace coil;
using namespace std::chrono_literals;

namespace {

// The three functions, and nothing of Coil.
struct Ready {
  int value = 7;
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  int await_resume() const noexcept { return value; }
};
struct WithMember {
  Ready operator co_await() const noexcept { return {8}; }
};
struct WithFunction {};
Ready operator co_await(WithFunction) noexcept { return {9}; }
struct OnlyMoved {
  Ready operator co_await() && noexcept { return {10}; }
};
struct Lacking {
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
};

TEST(awaitable, is_whatever_co_await_takes) {
  static_assert(Awaitable<Ready> && Awaitable<Ready&> && Awaitable<WithMember>);
  static_assert(Awaitable<WithFunction> && Awaitable<OnlyMoved> && !Awaitable<OnlyMoved&>);
  static_assert(!Awaitable<int> && !Awaitable<Lacking> && !Awaitable<std::string>);
  static_assert(Awaitable<Coro<int>> && !Awaitable<Coro<int>&>, "a Coro is moved into co_await");
  static_assert(Awaitable<Task<int>&> && Awaitable<const Future<int>&>);
  static_assert(Awaitable<decltype(sleep(1ms))> && Awaitable<decltype(checkpoint())>);
  static_assert(Awaitable<decltype(std::declval<Event&>().wait())>);
  kit::on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await Ready(), 7);
    EXPECT_EQ(co_await WithMember(), 8);
    EXPECT_EQ(co_await WithFunction(), 9);
    EXPECT_EQ(co_await OnlyMoved(), 10);
    EXPECT_EQ(co_await create_task(WithFunction()), 9);
  });
}

TEST(awaitable, its_await_result_is_what_co_await_gives) {
  static_assert(std::same_as<AwaitResult<Ready>, int>);
  static_assert(std::same_as<AwaitResult<WithFunction>, int>);
  static_assert(std::same_as<AwaitResult<Coro<>>, void>);
  static_assert(std::same_as<AwaitResult<Coro<std::unique_ptr<int>>>, std::unique_ptr<int>>);
  static_assert(std::same_as<AwaitResult<Coro<int&>>, int&>);
  static_assert(std::same_as<AwaitResult<Task<std::string>&>, std::string>);
  static_assert(std::same_as<AwaitResult<decltype(std::declval<Queue<char>&>().get())>, char>);
  static_assert(std::same_as<AwaitResult<decltype(sleep(1ms, 2.5))>, double>);
}

}  // namespace
