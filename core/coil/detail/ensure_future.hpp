// asyncio's ensure_future, for those who take "anything that can be awaited" and start it at once
// (gather, shield): a Task or Future stays what it is, all else becomes a task.
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/ranges.hpp>
#include <coil/future.hpp>
#include <coil/task.hpp>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace coil::detail {

template <class T>
std::type_identity<T> future_value(const Future<T>&);
template <class A>
concept FutureLike = requires(const std::remove_cvref_t<A>& a) { future_value(a); };

// A future, and whether it is a task made here: then nobody else can read its result.
template <class T>
struct Ensured {
  using value_type = T;
  FutureRef ref;
  ValueHolder<T>* holder;
  bool own;
};

// The coroutine that awaits what is no future.
template <class A>
auto take_over(A&& awaitable) {
  using Plain = std::decay_t<A>;
  static_assert(std::is_constructible_v<Plain, A&&>,
                "this awaitable is taken over: write std::move(awaitable)");
  return as_coro(Plain(std::forward<A>(awaitable)));
}

// A task of this loop that has not been started. Reports tell it by where its coroutine is written.
template <class T>
TaskImpl<T>& make_own_task(Coro<T> coro) {
  if (!coro) throw std::invalid_argument("the coroutine is empty or was moved from");
  require_open_loop("gather or shield of a coroutine");
  const auto handle = coro.release();
  const auto origin = handle.promise().where;
  return *new TaskImpl<T>(Coro<T>(handle), origin);
}

template <class T>
Ensured<T> start_own(Coro<T> coro) {
  TaskImpl<T>& task = make_own_task(std::move(coro));
  Ensured<T> started{FutureRef(&task, AdoptRef{}), &task, true};
  start_task(task, nullptr, false);
  return started;
}

template <class A>
auto ensure_future(A&& awaitable) {
  using Plain = std::remove_cvref_t<A>;
  if constexpr (FutureLike<Plain>) {
    using T = typename decltype(future_value(std::declval<const Plain&>()))::type;
    return Ensured<T>{FutureAccess::ref<T>(awaitable), &FutureAccess::holder<T>(awaitable), false};
  } else {
    return start_own(take_over(std::forward<A>(awaitable)));
  }
}

// What ensure_future takes as one argument: an awaitable, or a function that gives one.
template <class A>
concept Startable =
    Awaitable<std::remove_cvref_t<A>> ||
    (std::is_invocable_v<std::decay_t<A>&> &&
     Awaitable<std::invoke_result_t<std::conditional_t<std::is_invocable_v<std::decay_t<A>&>,
                                                       std::decay_t<A>&, Coro<void> (*)()>>>);

template <class A>
using EnsuredValue = typename decltype(ensure_future(std::declval<A>()))::value_type;

// Elements of a range that is given away are moved, those of a view or a named range are not.
template <class R, class It>
decltype(auto) take_element(It& it) {
  if constexpr (!std::is_lvalue_reference_v<R> && !std::ranges::view<std::remove_cvref_t<R>>) {
    return std::move(*it);
  } else {
    return *it;
  }
}

// The result of a done future that ended well. Copied, because others may want it, unless it
// cannot be, or nobody else can.
template <class T>
decltype(auto) read_result(ValueHolder<T>& holder, bool own) {
  if constexpr (std::is_void_v<T>) {
    return std::monostate();
  } else if constexpr (std::is_reference_v<T>) {
    return static_cast<T>(holder.slot().get());
  } else if constexpr (std::is_copy_constructible_v<T>) {
    return own ? T(std::move(holder.slot().get())) : T(holder.slot().get());
  } else {
    return T(std::move(holder.slot().get()));
  }
}

}  // namespace coil::detail
