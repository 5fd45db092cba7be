// try_finally: Python's try/finally with an await in the finally part, which C++ cannot have in a
// handler or a destructor.
#pragma once

#include <coil/cancel_scope.hpp>
#include <coil/coro.hpp>
#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_impl.hpp>
#include <exception>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace coil {
namespace detail {

template <class A>
auto call_or_await(A&) {
  if constexpr (Awaitable<A>) {
    return std::type_identity<AwaitResult<A>>();
  } else {
    return std::type_identity<AwaitResult<std::invoke_result_t<A&>>>();
  }
}
template <class A>
using CallOrAwaitResult = KeptResult<typename decltype(call_or_await(std::declval<A&>()))::type>;

// Starts the clean-up as a task of its own: cancels of `owner`, of either kind, have no way into
// it, while timeouts, scopes and groups inside it work. It shares the owner's context, so that a
// variable can be reset in it. run() waits for it and does not cancel it.
template <class T>
FutureRef start_cleanup(Coro<T> cleanup, TaskBase& owner, std::source_location origin) {
  auto* task = new TaskImpl<T>(std::move(cleanup), origin);
  FutureRef handle(task, AdoptRef{});
  if (context_in_use()) task->context.share(*owner.context.cell());
  task->set_affinity(owner.affinity());
  task->set_finalizer();
  start_task(*task, nullptr, /*eager=*/true);
  return handle;
}

template <class Fn, class Cleanup, class T = CallOrAwaitResult<Fn>>
Coro<T> run_try_finally(Fn fn, Cleanup cleanup, std::source_location origin) {
  std::optional<NonVoid<T>> value;
  std::exception_ptr error;
  try {
    if constexpr (Awaitable<Fn> && std::is_void_v<T>) {
      co_await to_await(fn);
    } else if constexpr (Awaitable<Fn>) {
      value.emplace(co_await to_await(fn));
    } else if constexpr (std::is_void_v<T>) {
      co_await fn();
    } else {
      value.emplace(co_await fn());
    }
  } catch (...) {
    error = std::current_exception();
  }
  TaskBase& self = co_await CurrentTask();
  const FutureRef done = start_cleanup(as_coro(std::move(cleanup)), self, origin);
  co_await FutureWait(done, joining_leaf);
  done->throw_unless_value();
  if (error) std::rethrow_exception(std::move(error));
  if constexpr (!std::is_void_v<T>) co_return std::move(*value);
}

}  // namespace detail

// Awaits fn() and then, whether that returned, threw or was cancelled, cleanup(), to its end; then
// gives fn's result or throws its exception. What the clean-up throws takes its place. Either may
// also be an awaitable, and both are kept alive.
//
// The clean-up is shielded: neither Task::cancel nor a cancelled scope around reaches it. Such a
// cancel waits, and is thrown at the next suspension after try_finally. A clean-up that could take
// for ever should limit itself: timeout() and move_on_after() work inside.
template <class Fn, class Cleanup>
  requires((Awaitable<Fn> || Awaitable<std::invoke_result_t<Fn&>>) &&
           (Awaitable<Cleanup> || Awaitable<std::invoke_result_t<Cleanup&>>))
[[nodiscard]] auto try_finally(Fn fn, Cleanup cleanup,
                               std::source_location origin = std::source_location::current())
    -> Coro<detail::CallOrAwaitResult<Fn>> {
  return detail::run_try_finally(std::move(fn), std::move(cleanup), origin);
}

}  // namespace coil
