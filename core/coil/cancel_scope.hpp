// Cancel scopes (trio.CancelScope, move_on_after, fail_after): cancellation of a part of a task
// and of everything below it, level-triggered.
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/cancel_work.hpp>
#include <coil/detail/current_task.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/scope_node.hpp>
#include <coil/detail/timer.hpp>
#include <coil/exceptions.hpp>
#include <coil/time.hpp>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coil {

class Canceller;

struct CancelScopeOptions {
  TimePoint deadline = detail::never;
  bool shield = false;
};

// Lives in with_cancel_scope until its function has ended. Once cancelled, each suspension inside
// throws CancelledError, again and again, unless a shield lies in between; the scope catches it
// at its end. All members may be called from any task of the Runner while the scope lives.
class CancelScope : private detail::ScopeNode, private detail::Timer {
 public:
  explicit CancelScope(const CancelScopeOptions& options = {});
  // With a deadline from now.
  explicit CancelScope(TimeLimit limit);
  ~CancelScope();
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

  // Cancels everything inside; the first reason becomes what() of the CancelledErrors.
  void cancel(std::string_view reason = {});
  // A handle for any thread, also after the scope has ended.
  [[nodiscard]] Canceller canceller();

  [[nodiscard]] bool cancel_called() const noexcept;
  // The scope has ended and caught its own cancellation.
  [[nodiscard]] bool cancelled_caught() const noexcept { return caught_; }
  [[nodiscard]] bool shield() const noexcept;
  void set_shield(bool on);
  // When it cancels itself; TimePoint::max() is never. To set it while the scope runs:
  // NoRunningLoop off a loop.
  [[nodiscard]] TimePoint deadline() const noexcept;
  void set_deadline(TimePoint when);

  // For Coil's own use: what with_cancel_scope does around the function. leave() tells whether
  // the error is this scope's own cancellation, which ends here.
  void enter(detail::TaskBase& task);
  [[nodiscard]] bool leave(const std::exception_ptr& error);

 private:
  friend class Canceller;
  struct Link;

  void deliver();
  [[nodiscard]] detail::Ref<Link> link() noexcept;
  void disarm() noexcept;
  static void expire(detail::Timer& timer, detail::CancelWork& work) noexcept;
  static const detail::TimerKind timer_kind;

  detail::SpinLock lock_;   // of the two below, and of who arms and disarms the timer
  detail::Ref<Link> link_;  // from the first canceller() on
  bool timer_armed_ = false;
  bool entered_ = false;
  bool caught_ = false;
  bool ahead_ = false;  // the deadline was in the future a moment ago
};

// Cancels a scope from anywhere; does nothing once the scope has ended. Copyable, thread-safe. One
// that was made by default cancels nothing.
class Canceller {
 public:
  Canceller() noexcept;
  Canceller(const Canceller& other) noexcept;
  Canceller& operator=(const Canceller& other) noexcept;
  ~Canceller();
  void cancel(std::string_view reason = {}) const;
  void operator()() const { cancel(); }

 private:
  friend class CancelScope;
  explicit Canceller(detail::Ref<CancelScope::Link> link) noexcept;
  detail::Ref<CancelScope::Link> link_;
};

// How a scope ended: with the function's value, or by its own cancellation. T may be a reference
// or void.
template <class T = void>
class CancelResult {
  using Value = detail::NonVoid<T>;
  using Stored =
      std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, detail::NonVoid<T>>;

 public:
  CancelResult() = default;  // cancelled
  explicit CancelResult(Value value) : value_(stored(value)) {}

  [[nodiscard]] bool cancelled_caught() const noexcept { return !value_.has_value(); }
  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  // Throws std::bad_optional_access after a cancellation.
  decltype(auto) value() & { return get(value_.value()); }
  decltype(auto) value() const& { return get(value_.value()); }
  decltype(auto) value() && { return get(std::move(value_).value()); }

 private:
  static decltype(auto) stored(Value& value) noexcept {
    if constexpr (std::is_reference_v<T>) {
      return std::addressof(value);
    } else {
      return std::move(value);
    }
  }
  template <class S>
  static decltype(auto) get(S&& kept) noexcept {
    if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(*kept);
    } else {
      return std::forward<S>(kept);
    }
  }

  std::optional<Stored> value_;
};

namespace detail {

// The body of a with_...: takes the scope or nothing. Its result is kept: what it gives as an
// rvalue reference is moved out.
template <class Fn, class Arg>
using BodyResult = typename decltype([] {
  if constexpr (std::is_invocable_v<Fn&, Arg&>) {
    return std::type_identity<KeptResult<AwaitResult<std::invoke_result_t<Fn&, Arg&>>>>{};
  } else {
    return std::type_identity<KeptResult<AwaitResult<std::invoke_result_t<Fn&>>>>{};
  }
}())::type;

template <class Fn, class Arg>
decltype(auto) call_body(Fn& fn, Arg& arg) {
  if constexpr (std::is_invocable_v<Fn&, Arg&>) {
    return fn(arg);
  } else {
    return fn();
  }
}

template <class Fn, class T = BodyResult<Fn, CancelScope>>
Coro<CancelResult<T>> run_in_scope(Fn& fn, CancelScope& scope) {
  scope.enter(co_await CurrentTask());
  KeptValue<T> value;
  std::exception_ptr error;
  try {
    decltype(auto) body = call_body(fn, scope);
    if constexpr (std::is_void_v<T>) {
      co_await to_await_as<decltype(body)>(body);
    } else {
      value.build(co_await to_await_as<decltype(body)>(body));
    }
  } catch (...) {
    error = std::current_exception();
  }
  if (scope.leave(error)) co_return CancelResult<T>();
  if (error) std::rethrow_exception(std::move(error));
  if constexpr (std::is_void_v<T>) {
    co_return CancelResult<T>(std::monostate());
  } else {
    co_return CancelResult<T>(value.take());
  }
}

}  // namespace detail

// Runs fn(scope) or fn() inside a new scope. The scope's own cancellation ends there; any other
// exception goes on, Task::cancel's CancelledError included.
template <class Fn>
auto with_cancel_scope(Fn fn, CancelScopeOptions options = {})
    -> Coro<CancelResult<detail::BodyResult<Fn, CancelScope>>> {
  CancelScope scope(options);
  co_return co_await detail::run_in_scope(fn, scope);
}

// The same with a deadline from now (trio.move_on_after).
template <class Fn>
auto move_on_after(TimeLimit limit, Fn fn)
    -> Coro<CancelResult<detail::BodyResult<Fn, CancelScope>>> {
  CancelScope scope(limit);
  co_return co_await detail::run_in_scope(fn, scope);
}
template <class Fn>
auto move_on_at(TimePoint deadline, Fn fn)
    -> Coro<CancelResult<detail::BodyResult<Fn, CancelScope>>> {
  CancelScope scope({.deadline = deadline});
  co_return co_await detail::run_in_scope(fn, scope);
}

namespace detail {

// The limit counts from when it is awaited: only there is it known which clock is meant.
template <class Fn>
auto run_or_fail(Fn fn, TimeLimit limit, TimePoint at) -> Coro<BodyResult<Fn, CancelScope>> {
  CancelScope scope({.deadline = limit.has_value() ? limit.deadline(now()) : at});
  auto result = co_await run_in_scope(fn, scope);
  if (scope.cancelled_caught()) throw TimeoutError();
  if constexpr (!std::is_void_v<BodyResult<Fn, CancelScope>>) co_return std::move(result).value();
}

}  // namespace detail

// The same, but throws TimeoutError when the deadline cut it short (trio.fail_after).
template <class Fn>
auto fail_at(TimePoint deadline, Fn fn) -> Coro<detail::BodyResult<Fn, CancelScope>> {
  return detail::run_or_fail(std::move(fn), std::nullopt, deadline);
}
template <class Fn>
auto fail_after(TimeLimit limit, Fn fn) -> Coro<detail::BodyResult<Fn, CancelScope>> {
  return detail::run_or_fail(std::move(fn), limit, detail::never);
}

// The nearest deadline of the scopes around the running task; -infinity (TimePoint::min()) if it
// is cancelled already, never (TimePoint::max()) if there is none.
[[nodiscard]] TimePoint current_effective_deadline();

}  // namespace coil
