// Future<T> and Promise<T>: a result that comes later (asyncio.Future and
// concurrent.futures.Future in one, thread-safe).
#pragma once

#include <coil/detail/callback.hpp>
#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/future_state.hpp>
#include <coil/exceptions.hpp>
#include <coil/time.hpp>
#include <compare>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coil {

namespace detail {
struct FutureAccess;
TimePoint blocking_deadline(Duration limit) noexcept;

inline std::exception_ptr as_exception_ptr(std::exception_ptr error) noexcept { return error; }
template <class E>
  requires(!std::convertible_to<E, std::exception_ptr>)
std::exception_ptr as_exception_ptr(E&& error) {
  return std::make_exception_ptr(std::forward<E>(error));
}
}  // namespace detail

// A shared handle. Every member may be called from any thread, at the same time as any other.
//
// co_await future: gives a copy of the result or throws the exception; `co_await std::move(f)`
// moves the result out (so no second reader gets it) and leaves `f` empty. Waiters wake first come
// first served, each on its own loop. Cancelling a task that awaits a future cancels the future.
template <class T = void>
class Future {
 public:
  using value_type = T;
  using Holder = detail::ValueHolder<T>;
  static constexpr bool shares_result =
      std::is_void_v<T> || std::is_reference_v<T> || std::is_copy_constructible_v<T>;

  Future() noexcept = default;
  Future(detail::FutureRef state, Holder* holder) noexcept
      : state_(std::move(state)), holder_(holder) {}

  [[nodiscard]] bool valid() const noexcept { return state_.get() != nullptr; }
  [[nodiscard]] explicit operator bool() const noexcept { return valid(); }
  [[nodiscard]] bool done() const { return state().done(); }
  [[nodiscard]] bool cancelled() const { return state().cancelled(); }

  // Cancels it; false if it was done. Of a task: asks the task to cancel itself.
  bool cancel(std::string_view message = {}) const { return state().cancel(message); }

  // The result. Throws the exception it failed with, CancelledError if cancelled,
  // InvalidStateError if it is not done.
  T result() const {
    static_assert(shares_result,
                  "result() copies: a move-only result comes out by co_await std::move(future)");
    state().throw_unless_value();
    return holder_->slot().copy();
  }
  // The exception it failed with, or null. CancelledError if cancelled, InvalidStateError if not
  // done are thrown.
  [[nodiscard]] std::exception_ptr exception() const {
    if (!done()) throw InvalidStateError("the exception is not set yet");
    if (cancelled()) std::rethrow_exception(state().error());
    return state().error();
  }

  // Blocks the thread, which must not be a loop's (InvalidStateError unless done).
  T get() const {
    state().block_until_done("Future::get", nullptr);
    return result();
  }
  // The same with a limit: true if done. Unlike coil::wait_for it cancels nothing.
  bool wait_for(TimeLimit limit) const {
    if (!limit.has_value()) return state().block_until_done("Future::wait_for", nullptr);
    const TimePoint deadline = detail::blocking_deadline(limit.value());
    return state().block_until_done("Future::wait_for", &deadline);
  }

  // Completes it. InvalidStateError if it is done, or belongs to a task.
  template <class... U>
  void set_result(U&&... value) const {
    if (!try_set_result(std::forward<U>(value)...))
      throw InvalidStateError("set_result: the future is done already");
  }
  template <class E>
  void set_exception(E&& error) const {
    if (!try_set_exception(std::forward<E>(error)))
      throw InvalidStateError("set_exception: the future is done already");
  }
  template <class... U>
  bool try_set_result(U&&... value) const {
    return own_state("set_result").try_set_value(std::forward<U>(value)...);
  }
  template <class E>
  bool try_set_exception(E&& error) const {
    auto pointer = detail::as_exception_ptr(std::forward<E>(error));
    if (!pointer) throw std::invalid_argument("set_exception: the exception is null");
    return own_state("set_exception").try_finish_error(std::move(pointer));
  }

  // Calls fn(future) soon after completion, on the loop that registers it (from a thread that is
  // no loop: where the future is completed). Gives an id for remove_done_callback. LoopClosed if
  // the future is done and the loop is closing.
  template <class Fn>
  std::uint64_t add_done_callback(Fn fn) const {
    return detail::DoneCallback::enlist(new Callback<Fn>(*this, std::move(fn)));
  }
  // How many callbacks were removed: 0 or 1.
  int remove_done_callback(std::uint64_t id) const {
    return detail::DoneCallback::unregister(state(), id);
  }

  [[nodiscard]] detail::FutureAwaiter<T, false> operator co_await() const& {
    static_assert(shares_result,
                  "co_await of a named future copies: use co_await std::move(future)");
    return {checked(), *holder_};
  }
  [[nodiscard]] detail::FutureAwaiter<T, true> operator co_await() && {
    (void)state();
    return {std::move(state_), *holder_};
  }

  [[nodiscard]] friend bool operator==(const Future& a, const Future& b) noexcept {
    return a.state_.get() == b.state_.get();
  }
  // Some order, for sets and maps.
  [[nodiscard]] friend std::strong_ordering operator<=>(const Future& a, const Future& b) noexcept {
    return a.state_.get() <=> b.state_.get();
  }

 protected:
  friend struct detail::FutureAccess;

  [[nodiscard]] detail::FutureBase& state() const {
    if (!state_) [[unlikely]]
      throw InvalidStateError("the future is empty");
    return *state_;
  }
  [[nodiscard]] const detail::FutureRef& checked() const {
    (void)state();
    return state_;
  }
  [[nodiscard]] detail::FutureState<T>& own_state(std::string_view what) const {
    if (state().as_task() != nullptr)
      throw InvalidStateError(std::string(what) + ": a task's result can't be set from outside");
    return static_cast<detail::FutureState<T>&>(*state_);
  }

 private:
  template <class Fn>
  struct Callback final : detail::DoneCallback {
    Callback(const Future& future, Fn f)
        : DoneCallback(future.state()), holder(future.holder_), fn(std::move(f)) {}
    void call(detail::FutureRef state) override { fn(Future(std::move(state), holder)); }
    Holder* holder;
    Fn fn;
  };

  detail::FutureRef state_;
  Holder* holder_ = nullptr;
};

namespace detail {
struct FutureAccess {
  template <class T>
  [[nodiscard]] static const FutureRef& ref(const Future<T>& future) {
    return future.checked();
  }
  template <class T>
  [[nodiscard]] static ValueHolder<T>& holder(const Future<T>& future) noexcept {
    return *future.holder_;
  }
  // Null of an empty one.
  template <class T>
  [[nodiscard]] static const void* address(const Future<T>& future) noexcept {
    return future.state_.get();
  }
};
}  // namespace detail

// A future that somebody will complete with set_result or set_exception.
template <class T = void>
[[nodiscard]] Future<T> create_future() {
  auto* state = new detail::FutureState<T>;
  return Future<T>(detail::FutureRef(state, detail::AdoptRef{}), state);
}

// The write side alone. Move-only; dropped unset, its future gets BrokenPromise.
template <class T = void>
class Promise {
 public:
  Promise() : future_(create_future<T>()) {}
  Promise(Promise&&) noexcept = default;
  Promise& operator=(Promise&& other) noexcept {
    std::swap(future_, other.future_);
    return *this;
  }
  ~Promise() {
    // Nobody to tell: then nobody shall read of an exception that was never retrieved.
    if (!future_.valid() || future_.done()) return;
    detail::FutureBase& state = *detail::FutureAccess::ref(future_);
    if (state.sole_reference() && !state.completion().has_callbacks()) return;
    future_.try_set_exception(BrokenPromise());
  }

  [[nodiscard]] Future<T> get_future() const { return future_; }
  template <class... U>
  void set_result(U&&... value) const {
    future_.set_result(std::forward<U>(value)...);
  }
  template <class E>
  void set_exception(E&& error) const {
    future_.set_exception(std::forward<E>(error));
  }
  template <class... U>
  bool try_set_result(U&&... value) const {
    return future_.try_set_result(std::forward<U>(value)...);
  }
  template <class E>
  bool try_set_exception(E&& error) const {
    return future_.try_set_exception(std::forward<E>(error));
  }
  bool cancel(std::string_view message = {}) const { return future_.cancel(message); }
  [[nodiscard]] bool cancelled() const { return future_.cancelled(); }
  [[nodiscard]] bool done() const { return future_.done(); }

 private:
  Future<T> future_;
};

}  // namespace coil

template <class T>
struct std::hash<coil::Future<T>> {
  std::size_t operator()(const coil::Future<T>& future) const noexcept {
    return std::hash<const void*>()(coil::detail::FutureAccess::address(future));
  }
};
