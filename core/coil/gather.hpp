// gather (asyncio.gather): waits for several awaitables that run side by side.
//
// What is given runs from the call on: a Task or Future as it is (the same one twice runs once and
// appears twice), anything else as a new task. What comes back is awaited once or more, or dropped:
// that leaves all of them running.
//
// gather: results in argument order; the first exception is thrown at once and the others go on
// running, with their exceptions disregarded. gather_results: waits for all, each element tells how
// it ended. Cancelling the waiting task cancels everything that was given.
#pragma once

#include <coil/detail/ensure_future.hpp>
#include <coil/detail/gather_awaitable.hpp>
#include <coil/detail/ranges.hpp>
#include <type_traits>
#include <utility>
#include <vector>

namespace coil {

// co_await gather(a, b, c) gives a std::tuple; std::monostate stands for void.
template <class... As>
  requires(detail::Startable<As> && ...)
auto gather(As&&... awaitables) {
  return detail::gather_tuple<detail::GatherMode::FirstError>(std::forward<As>(awaitables)...);
}
// co_await gather(range) gives a std::vector. A range of what can't be copied must be moved in.
template <std::ranges::input_range R>
  requires(!detail::Startable<R>)
auto gather(R&& range) {
  return detail::gather_range<detail::GatherMode::FirstError>(std::forward<R>(range));
}
// One function with its arguments, both kept alive.
template <class Fn, class... Args>
  requires(!detail::Startable<Fn> &&
           Awaitable<std::invoke_result_t<std::decay_t<Fn>&, Args && ...>>)
auto gather(Fn fn, Args... args) {
  return gather(detail::as_coro(std::move(fn), std::move(args)...));
}

// The same with Result<T> for each T, and no exception but CancelledError
// (asyncio.gather(..., return_exceptions=True)).
template <class... As>
  requires(detail::Startable<As> && ...)
auto gather_results(As&&... awaitables) {
  return detail::gather_tuple<detail::GatherMode::AllDone>(std::forward<As>(awaitables)...);
}
template <std::ranges::input_range R>
  requires(!detail::Startable<R>)
auto gather_results(R&& range) {
  return detail::gather_range<detail::GatherMode::AllDone>(std::forward<R>(range));
}
template <class Fn, class... Args>
  requires(!detail::Startable<Fn> &&
           Awaitable<std::invoke_result_t<std::decay_t<Fn>&, Args && ...>>)
auto gather_results(Fn fn, Args... args) {
  return gather_results(detail::as_coro(std::move(fn), std::move(args)...));
}

}  // namespace coil
