// Coro<T>: a coroutine, lazy and owned (asyncio's coroutine object).
//
// Awaiting it runs it in place: control goes to its body and back by symmetric transfer, without
// the scheduler and without stack growth. One frame, no other allocation.
#pragma once

#include <coil/detail/invoke.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/value_slot.hpp>
#include <concepts>
#include <coroutine>
#include <exception>
#include <source_location>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace coil {

template <class T = void>
class Coro;

namespace detail {

enum class CoroOutcome : unsigned char { Running, Value, Error };

// What can be known of a Coro<T> without its T.
struct CoroPromiseBase : PromiseBase {
  using PromiseBase::PromiseBase;
  std::exception_ptr error;
};

template <class T>
struct CoroPromiseResult : CoroPromiseBase {
  using CoroPromiseBase::CoroPromiseBase;
  CoroPromiseResult(const CoroPromiseResult&) = delete;
  CoroPromiseResult& operator=(const CoroPromiseResult&) = delete;
  ~CoroPromiseResult() {
    if (outcome == CoroOutcome::Value) slot.destroy();
  }

  void unhandled_exception() noexcept {
    error = std::current_exception();
    outcome = CoroOutcome::Error;
    trace(error);
  }
  // Gives the result or throws the exception of a coroutine that has ended.
  COIL_INLINED T take() {
    if (outcome == CoroOutcome::Error) [[unlikely]]
      std::rethrow_exception(std::move(error));
    return slot.take();
  }

  [[no_unique_address]] ValueSlot<T> slot;
  CoroOutcome outcome = CoroOutcome::Running;
};

template <class T>
struct CoroPromise final : CoroPromiseResult<T> {
  explicit CoroPromise(std::source_location where = std::source_location::current()) noexcept
      : CoroPromiseResult<T>(where) {}
  Coro<T> get_return_object() noexcept;
  template <class U = T>  // the default is for `co_return {}`
    requires std::convertible_to<U&&, T>
  void return_value(U&& value) {
    this->slot.build(std::forward<U>(value));
    this->outcome = CoroOutcome::Value;
  }
};

template <>
struct CoroPromise<void> final : CoroPromiseResult<void> {
  explicit CoroPromise(std::source_location where = std::source_location::current()) noexcept
      : CoroPromiseResult<void>(where) {}
  Coro<void> get_return_object() noexcept;
  void return_void() noexcept { outcome = CoroOutcome::Value; }
};

// A coroutine was dropped without having been started. Debug mode reports it.
void report_never_awaited(const std::source_location& where) noexcept;

// Has the coroutine: what was awaited once is no more in its Coro.
template <class T>
class CoroAwaiter : public NativeAwaiter {
 public:
  using Handle = std::coroutine_handle<CoroPromise<T>>;
  explicit CoroAwaiter(Handle handle) noexcept : handle_(handle) {}
  CoroAwaiter(const CoroAwaiter&) = delete;
  CoroAwaiter& operator=(const CoroAwaiter&) = delete;
  ~CoroAwaiter() { handle_.destroy(); }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  Handle await_suspend(std::coroutine_handle<P> parent) noexcept {
    handle_.promise().enter(parent);
    return handle_;
  }
  COIL_INLINED T await_resume() { return handle_.promise().take(); }

 private:
  Handle handle_;
};

}  // namespace detail

// Thread-safety: owned by one task at a time; may be handed over. Dropping one that was started
// and has not ended destroys its frame without unwinding it: only Coil itself may do that.
template <class T>
class COIL_TRIVIAL_ABI
    [[nodiscard("a Coro does nothing until it is awaited or made a task")]] Coro {
 public:
  using promise_type = detail::CoroPromise<T>;
  using value_type = T;
  using Handle = std::coroutine_handle<promise_type>;

  Coro() noexcept = default;
  explicit Coro(Handle handle) noexcept : handle_(handle) {}
  Coro(Coro&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Coro& operator=(Coro&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Coro() {
    if (handle_) [[unlikely]]
      drop();
  }

  // Runs the coroutine in place and gives its result, or throws what it threw. Throws
  // std::runtime_error if it has been awaited before or was moved from.
  [[nodiscard]] detail::CoroAwaiter<T> operator co_await() && {
    if (!handle_) [[unlikely]]
      fail_awaited();
    return detail::CoroAwaiter<T>(release());
  }
  void operator co_await() & = delete;  // write: co_await std::move(coro)

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(handle_); }
  // For Coil's own use: the frame; release() gives it away.
  [[nodiscard]] Handle handle() const noexcept { return handle_; }
  [[nodiscard]] Handle release() noexcept { return std::exchange(handle_, nullptr); }

 private:
  [[gnu::noinline]] void drop() noexcept {
    detail::report_never_awaited(handle_.promise().where);
    handle_.destroy();
  }
  [[noreturn, gnu::noinline]] static void fail_awaited() {
    throw std::runtime_error("coil: cannot reuse an already awaited coroutine");
  }

  Handle handle_;
};

template <class T>
Coro<T> detail::CoroPromise<T>::get_return_object() noexcept {
  static_assert(alignof(CoroPromise) <= promise_alignment_max);
  return Coro<T>(std::coroutine_handle<CoroPromise>::from_promise(*this));
}
inline Coro<void> detail::CoroPromise<void>::get_return_object() noexcept {
  return Coro<void>(std::coroutine_handle<CoroPromise>::from_promise(*this));
}

namespace detail {

template <class C>
inline constexpr bool is_coro = false;
template <class T>
inline constexpr bool is_coro<Coro<T>> = true;

// A coroutine keeps its result by value: what an awaiter gives as an rvalue reference is moved out.
template <class R>
using KeptResult = std::conditional_t<std::is_rvalue_reference_v<R>, std::remove_reference_t<R>, R>;

// Handles whose result others may read too (Future, Task): awaited as an lvalue, which copies.
template <class A>
concept SharedResult = requires { requires A::shares_result; };

// An awaitable that is kept, as it is to be awaited.
template <class A>
decltype(auto) to_await(A& kept) noexcept {
  if constexpr (SharedResult<A>) {
    return std::as_const(kept);
  } else {
    return std::move(kept);
  }
}

// The same for what a function returned as an R: an lvalue stays one.
template <class R, class A>
decltype(auto) to_await_as(A& kept) noexcept {
  if constexpr (std::is_lvalue_reference_v<R>) {
    return static_cast<A&>(kept);
  } else {
    return to_await(kept);
  }
}

// What create_task and its like take: an Awaitable, or a function that gives one, with arguments.
// All of it is copied or moved into the coroutine, so captures and arguments are safe.
template <Awaitable A>
Coro<KeptResult<AwaitResult<A>>> as_coro(A awaitable) {
  co_return co_await to_await(awaitable);
}
template <class T>
Coro<T> as_coro(Coro<T> coro) {
  return coro;
}
template <class R, class Fn, class... Args>
Coro<R> call_kept(Fn fn, KeptArgument<Args>... args) {
  decltype(auto) awaitable = invoke(fn, give_argument<Args>(args)...);
  co_return co_await to_await_as<decltype(awaitable)>(awaitable);
}
template <class Fn, class... Args>
  requires Awaitable<std::invoke_result_t<Fn&, Args&&...>>
auto as_coro(Fn fn, Args... args) {
  using R = KeptResult<AwaitResult<std::invoke_result_t<Fn&, Args&&...>>>;
  return call_kept<R, Fn, Args...>(std::move(fn), KeptArgument<Args>(std::move(args))...);
}

template <class... Args>
using AsCoroResult = typename decltype(as_coro(std::declval<Args>()...))::value_type;

}  // namespace detail
}  // namespace coil
