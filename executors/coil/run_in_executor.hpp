// run_in_executor: a function that would hold the loop, called by an executor
// (asyncio.loop.run_in_executor), and which executor that is where none is named.
#pragma once

#include <coil/detail/default_executor.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/executor.hpp>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <cstddef>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace coil {

namespace detail {

template <class E>
concept TakesConstantsOnly = requires { requires E::constant_functions_only; };
template <class E>
concept OwnsExecutor = std::is_null_pointer_v<E> || requires(E& owner) {
  static_cast<Executor*>(owner.get());
  static_cast<Executor&>(*owner);
};

inline constexpr const char* run_in_executor_name = "run_in_executor";

template <class E>
[[nodiscard]] Executor& executor_or_default(E* executor) {
  if (executor != nullptr) return *executor;
  return default_executor(run_in_executor_name);
}
template <class E>
[[nodiscard]] E& foreign_executor(E* executor) {
  static_assert(ExecutorLike<E>, "run_in_executor: not an executor: it needs submit and shutdown");
  (void)require_loop(run_in_executor_name);
  if (executor == nullptr)
    throw std::invalid_argument(
        "run_in_executor: null stands for the default executor only as "
        "nullptr, or where the type derives from Executor");
  return *executor;
}

}  // namespace detail

// Hands fn(args...) to the executor now, and gives a future of its result, which may be move-only;
// co_await it (asyncio.loop.run_in_executor). Function and arguments are kept as submit() keeps
// them. Where the executor has a max_queue and so many wait, this one waits too: it is never
// refused with QueueFull.
//
// Null, or none: the default executor, a ThreadPoolExecutor with threads "coil-thread-N", until
// set_default_executor(). The context stays behind, as in asyncio; to_thread takes it along.
//
// Cancelling the await, or the future, takes a call that has not begun out of line; one that runs
// goes on to its end, its result is dropped, and its exception goes to the exception handler. The
// Runner awaits the call's end before it closes, with the loops running. (Not that of an executor
// which does not derive from Executor.)
//
// On a loop, else throws NoRunningLoop. Throws what the executor's submit() throws but QueueFull;
// std::runtime_error after shutdown_default_executor(); LoopClosed while the Runner closes.
template <class E, class Fn, class... Args>
  requires std::is_class_v<E>
auto run_in_executor(E* executor, Fn fn, Args... args) {
  static_assert(!detail::TakesConstantsOnly<E>,
                "this executor takes functions that are known when this is compiled: "
                "run_in_executor<&fn>(executor, args...)");
  if constexpr (std::is_base_of_v<Executor, E>) {
    return detail::ExecutorAccess::run(detail::executor_or_default(executor),
                                       detail::run_in_executor_name, std::move(fn),
                                       std::move(args)...);
  } else {
    return detail::foreign_executor(executor).submit(std::move(fn), std::move(args)...);
  }
}
template <class Fn, class... Args>
auto run_in_executor(std::nullptr_t, Fn fn, Args... args) {
  return run_in_executor(static_cast<Executor*>(nullptr), std::move(fn), std::move(args)...);
}
template <class Fn, class... Args>
  requires std::is_invocable_v<Fn&, Args&&...>
auto run_in_executor(Fn fn, Args... args) {
  return run_in_executor(static_cast<Executor*>(nullptr), std::move(fn), std::move(args)...);
}
// For a function that is known when this is compiled, run_in_executor<&fn>(executor, args...). What
// every executor takes, a ProcessPoolExecutor too.
template <auto fn, class E, class... Args>
  requires std::is_class_v<E>
auto run_in_executor(E* executor, Args... args) {
  if constexpr (requires { E::template check_constant<fn, Args...>(); })
    E::template check_constant<fn, Args...>();
  if constexpr (std::is_base_of_v<Executor, E>) {
    return detail::ExecutorAccess::run_constant<fn>(
        detail::executor_or_default(executor), detail::run_in_executor_name, std::move(args)...);
  } else {
    return detail::foreign_executor(executor).submit(detail::Constant<fn>(), std::move(args)...);
  }
}
template <auto fn, class... Args>
auto run_in_executor(std::nullptr_t, Args... args) {
  return run_in_executor<fn>(static_cast<Executor*>(nullptr), std::move(args)...);
}

// As the functions of that name. The loop is any of the running Runner's.
template <class E, class Fn, class... Args>
  requires std::is_class_v<E>
auto Loop::run_in_executor(E* executor, Fn fn, Args... args) {
  return coil::run_in_executor(executor, std::move(fn), std::move(args)...);
}
template <class Fn, class... Args>
auto Loop::run_in_executor(std::nullptr_t, Fn fn, Args... args) {
  return coil::run_in_executor(nullptr, std::move(fn), std::move(args)...);
}
template <class Fn, class... Args>
  requires std::is_invocable_v<Fn&, Args&&...>
auto Loop::run_in_executor(Fn fn, Args... args) {
  return coil::run_in_executor(std::move(fn), std::move(args)...);
}
template <auto fn, class E, class... Args>
  requires std::is_class_v<E>
auto Loop::run_in_executor(E* executor, Args... args) {
  return coil::run_in_executor<fn>(executor, std::move(args)...);
}
template <auto fn, class... Args>
auto Loop::run_in_executor(std::nullptr_t, Args... args) {
  return coil::run_in_executor<fn>(nullptr, std::move(args)...);
}

// What run_in_executor and to_thread use where none is named (asyncio's function of that name), of
// the whole Runner. `executor` is any owning pointer to an Executor (std::shared_ptr,
// std::unique_ptr); null brings Coil's own back. It stays with the Runner until that has closed, as
// does the one before it, on which calls go on. Any thread; LoopClosed after close().
template <class P>
void Loop::set_default_executor(P executor) {
  static_assert(detail::OwnsExecutor<P>,
                "set_default_executor takes an owning pointer to an Executor, as "
                "std::shared_ptr<Executor> is one");
  detail::Box<detail::HeldExecutor> held;
  if constexpr (!std::is_null_pointer_v<P>) {
    if (executor.get() != nullptr)
      held = detail::Box<detail::HeldExecutor>(new detail::HeldExecutorOf<P>(std::move(executor)));
  }
  detail::set_default_executor(*this, std::move(held));
}

// Loop::shutdown_default_executor(timeout): no more calls for the default executor, then waits
// until its last one has ended (asyncio's function of that name). Over the limit: says so to the
// exception handler, and goes on without them; that the Runner awaits them in the end stays so.
// Afterwards run_in_executor without an executor, and to_thread, throw std::runtime_error.
// Cancelled, it only stops to wait.

}  // namespace coil
