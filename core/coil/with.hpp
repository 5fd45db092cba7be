// with (Python's `async with`): something is entered, used, and left again whatever happens.
#pragma once

#include <coil/awaitable.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/coro.hpp>
#include <coil/detail/value_slot.hpp>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace coil {

// Has aenter(), awaited for what the body gets (void: nothing), and aexit(std::exception_ptr),
// awaited with the body's exception, or null: it gives nothing, or a bool, and true swallows the
// exception.
template <class M>
concept AsyncContextManager =
    requires(std::remove_reference_t<M>& manager, std::exception_ptr error) {
      { manager.aenter() } -> Awaitable;
      { manager.aexit(error) } -> Awaitable;
    };

namespace detail {

template <class M>
using AenterResult = KeptResult<AwaitResult<decltype(std::declval<M&>().aenter())>>;
template <class M>
inline constexpr bool may_swallow =
    !std::is_void_v<AwaitResult<decltype(std::declval<M&>().aexit(std::exception_ptr()))>>;

// What aenter() gave, kept for the body.
template <class R>
class Entered {
 public:
  template <class Fn>
  using Result = BodyResult<Fn, R>;

  explicit Entered(R&& value) : value_(std::forward<R>(value)) {}
  template <class Fn>
  decltype(auto) call(Fn& body) {
    return call_body(body, value_);
  }

 private:
  R value_;  // may be a reference
};
template <>
class Entered<void> {
 public:
  template <class Fn>
  using Result = AwaitResult<std::invoke_result_t<Fn&>>;

  template <class Fn>
  decltype(auto) call(Fn& body) {
    return body();
  }
};

template <class M>
using EnteredOf = Entered<AenterResult<M>>;
template <class M, class Fn>
using WithBody = typename EnteredOf<M>::template Result<Fn>;
template <class M, class T>
using WithResult = std::conditional_t<may_swallow<M>, std::optional<NonVoid<T>>, T>;

// M is a reference for a manager that has a name, else the manager itself, which so lives here.
template <class M, class Fn, class T = WithBody<M, Fn>>
Coro<WithResult<M, T>> run_with(M manager, Fn body) {
  std::optional<EnteredOf<M>> entered;
  if constexpr (std::is_void_v<AenterResult<M>>) {
    co_await manager.aenter();
    entered.emplace();
  } else {
    entered.emplace(co_await manager.aenter());
  }
  std::optional<NonVoid<T>> value;
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await entered->call(body);
      value.emplace();
    } else {
      value.emplace(co_await entered->call(body));
    }
  } catch (...) {
    error = std::current_exception();
  }
  if constexpr (may_swallow<M>) {
    if (co_await manager.aexit(error) && error) co_return std::nullopt;
  } else {
    co_await manager.aexit(error);
  }
  if (error) std::rethrow_exception(std::move(error));
  if constexpr (may_swallow<M>) {
    co_return std::move(value);
  } else if constexpr (!std::is_void_v<T>) {
    co_return std::move(*value);
  }
}

}  // namespace detail

// Enters the manager, runs body(r) or body() with what aenter() gave, and leaves: aexit() is
// awaited once, whether the body returned, threw or was cancelled, and what it throws takes the
// place of the body's exception. If aenter() throws, there is nothing to leave.
//
// Gives the body's result; if aexit() gives a bool, as std::optional (of std::monostate for void),
// which is empty where the body's exception was swallowed. A manager without a name and the body
// are kept alive; one with a name must outlive the await. As in asyncio and Trio aexit() is not
// shielded: a second Task::cancel reaches it, and in a cancelled scope its awaits throw.
template <class M, class Fn>
[[nodiscard]] auto with(M&& manager, Fn body) {
  static_assert(AsyncContextManager<M>,
                "with: not an AsyncContextManager. It needs Coro<R> aenter() and Coro<bool> or "
                "Coro<void> aexit(std::exception_ptr)");
  return detail::run_with<M, Fn>(std::forward<M>(manager), std::move(body));
}

namespace detail {

template <class T>
class Aclosing {
 public:
  explicit Aclosing(T&& thing) : thing_(std::forward<T>(thing)) {}

  Coro<std::remove_reference_t<T>&> aenter() { co_return thing_; }
  Coro<> aexit(std::exception_ptr) { co_await thing_.aclose(); }

 private:
  T thing_;  // may be a reference
};

}  // namespace detail

// The manager that gives `thing` itself and awaits thing.aclose() at the end
// (contextlib.aclosing): co_await with(aclosing(items()), [](auto& items) -> Coro<> {…}).
template <class T>
[[nodiscard]] detail::Aclosing<T> aclosing(T&& thing) {
  return detail::Aclosing<T>(std::forward<T>(thing));
}

}  // namespace coil
