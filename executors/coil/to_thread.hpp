// to_thread (asyncio.to_thread): a function that blocks, called by the default executor.
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/executor_call.hpp>
#include <coil/detail/thread_wait.hpp>
#include <coil/future.hpp>
#include <type_traits>
#include <utility>

namespace coil {

namespace detail {

template <class R, class Fn, class... Args>
Coro<R> call_in_thread(Fn fn, KeptArgument<Args>... args) {
  using Call = FunctionCall<true, R, Fn, Args...>;
  auto* const call = new Call(std::move(fn), std::move(args)...);
  const Future<R> future = Call::take_future(call);
  co_return co_await ThreadWait<R>(*call, future);
}

}  // namespace detail

// Calls fn(args...) on a thread that is no loop and gives its result, which may be move-only, or
// throws its exception. For what blocks: files of a library, system(), a slow computation.
//
// Function and arguments are copied or moved when to_thread is called (text that comes as a view
// is copied too; std::ref passes a reference) and are gone before the await returns. The function
// sees the awaiting task's context variables as they are when it is awaited; what it sets stays in
// its own copy. It finds no running loop; call_soon_threadsafe and run_coroutine_threadsafe reach
// the loops.
//
// The default executor calls it, Coil's own unless Loop::set_default_executor says otherwise: one
// thread per function that runs, at most min(32, processors + 4) for a Runner, the rest wait in
// line, first in first out. Any task on any loop may call it.
//
// Cancelled, the await ends at once with CancelledError. A function that has not begun never does;
// one that runs goes on to its end, its result is dropped, and an exception goes to the exception
// handler. run() and Runner::close() wait for it, as asyncio.run does, with the loops running; only
// exit() and a second Ctrl-C do not.
//
// Throws what the executor's submit() throws: std::system_error if no thread can be started,
// std::runtime_error after shutdown_default_executor(). Under Backend::sim the function is called
// on the loop's own thread: it must not wait there for what a task does.
template <class Fn, class... Args>
  requires std::is_invocable_v<Fn&, Args&&...>
auto to_thread(Fn fn, Args... args) {
  using Called = std::invoke_result_t<Fn&, Args&&...>;
  static_assert(!detail::is_coro<std::remove_cvref_t<Called>>,
                "to_thread calls a function, not a coroutine: co_await that, or create_task it");
  using R = detail::KeptResult<Called>;
  return detail::call_in_thread<R, Fn, Args...>(std::move(fn),
                                                detail::KeptArgument<Args>(std::move(args))...);
}

}  // namespace coil
