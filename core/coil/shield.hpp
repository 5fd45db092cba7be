// shield (asyncio.shield): waits for something without passing a cancellation on to it.
#pragma once

#include <coil/detail/ensure_future.hpp>
#include <coil/detail/future_awaiter.hpp>
#include <type_traits>
#include <utility>

namespace coil {
namespace detail {

template <class T>
class ShieldAwaiter : public FutureWait {
 public:
  ShieldAwaiter(const Ensured<T>& inner, bool last) noexcept
      : FutureWait(inner.ref, shielded_leaf), holder_(*inner.holder), own_(last && inner.own) {}

  T await_resume() {
    check_result();
    if constexpr (!std::is_void_v<T>) return read_result<T>(holder_, own_);
  }

 private:
  ValueHolder<T>& holder_;
  bool own_;
};

// What shield returns.
template <class T>
class [[nodiscard("a shield is to be awaited; what it was given runs anyway")]] Shield {
 public:
  explicit Shield(Ensured<T> inner) noexcept : inner_(std::move(inner)) {}

  [[nodiscard]] ShieldAwaiter<T> operator co_await() && noexcept { return {inner_, true}; }
  [[nodiscard]] ShieldAwaiter<T> operator co_await() & noexcept { return {inner_, false}; }

 private:
  Ensured<T> inner_;
};

}  // namespace detail

// co_await shield(task) gives the task's result or throws its exception. If the waiting task is
// cancelled, the wait ends at once with CancelledError and the inner one goes on running; should
// it fail then and nobody else look, that is reported as never retrieved. A coroutine becomes a
// task at the call. To shield a whole block: a CancelScope with .shield.
template <class A>
  requires detail::Startable<A>
auto shield(A&& awaitable) {
  auto inner = detail::ensure_future(std::forward<A>(awaitable));
  return detail::Shield<typename decltype(inner)::value_type>(std::move(inner));
}
// The same for a function with its arguments, both kept alive.
template <class Fn, class... Args>
  requires(!detail::Startable<Fn> &&
           Awaitable<std::invoke_result_t<std::decay_t<Fn>&, Args && ...>>)
auto shield(Fn fn, Args... args) {
  return shield(detail::as_coro(std::move(fn), std::move(args)...));
}

}  // namespace coil
