// What can be awaited in a Coro (Python's Awaitable ABC).
#pragma once

#include <concepts>
#include <coroutine>
#include <utility>

namespace coil {
namespace detail {

template <class A>
concept HasMemberCoAwait = requires(A&& a) { std::forward<A>(a).operator co_await(); };
template <class A>
concept HasFreeCoAwait = requires(A&& a) { operator co_await(std::forward<A>(a)); };

template <class A>
decltype(auto) get_awaiter(A&& a) {
  if constexpr (HasMemberCoAwait<A>) {
    return std::forward<A>(a).operator co_await();
  } else if constexpr (HasFreeCoAwait<A>) {
    return operator co_await(std::forward<A>(a));
  } else {
    return std::forward<A>(a);
  }
}

template <class W>
concept Awaiter = requires(W& w) {
  { w.await_ready() } -> std::convertible_to<bool>;
  w.await_resume();
};

}  // namespace detail

// Anything with operator co_await, or with the three await functions.
template <class A>
concept Awaitable = requires(A&& a) {
  { detail::get_awaiter(std::forward<A>(a)) } -> detail::Awaiter;
};

// The type of `co_await a`.
template <Awaitable A>
using AwaitResult =
    decltype(std::declval<
                 std::remove_reference_t<decltype(detail::get_awaiter(std::declval<A>()))>&>()
                 .await_resume());

}  // namespace coil
