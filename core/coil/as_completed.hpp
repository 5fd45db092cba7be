// as_completed (asyncio.as_completed): the given tasks and futures, each as soon as it is done.
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/completion_order.hpp>
#include <coil/detail/wait_handles.hpp>
#include <coil/task.hpp>
#include <coil/task_ref.hpp>
#include <coil/time.hpp>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

namespace coil {
namespace detail {

template <class H>
class CompletedHandles final : public CompletionOrder {
 public:
  CompletedHandles(std::vector<H> handles, TimePoint deadline)
      : CompletionOrder(deadline), handles_(std::move(handles)) {
    std::vector<FutureBase*> states;
    states.reserve(handles_.size());
    for (const H& handle : handles_) states.push_back(state_of(handle));
    watch(states);
  }
  // Each is taken once.
  [[nodiscard]] H take(std::size_t index) noexcept { return std::move(handles_[index]); }

 private:
  std::vector<H> handles_;
};

template <class H>
class CompletedAwaiter : public NextCompletedAwaiter {
 public:
  explicit CompletedAwaiter(Ref<CompletedHandles<H>> handles) noexcept
      : NextCompletedAwaiter(Ref<CompletionOrder>(handles.get())), handles_(*handles.get()) {}
  std::optional<H> await_resume() {
    const OrderNode* child = resume();
    if (child == nullptr) return std::nullopt;
    return handles_.take(child->index);
  }

 private:
  CompletedHandles<H>& handles_;
};

// What next() returns: may be handed on (to wait_for, say), where the awaiter may not.
template <class H>
struct [[nodiscard("next() is to be awaited")]] NextCompleted {
  Ref<CompletedHandles<H>> handles;
  [[nodiscard]] CompletedAwaiter<H> operator co_await() const noexcept {
    return CompletedAwaiter<H>(handles);
  }
};

}  // namespace detail

// A shared handle; dropping it leaves the tasks running. Thread-safe.
template <class H>
class AsCompleted {
 public:
  explicit AsCompleted(detail::Ref<detail::CompletedHandles<H>> handles) noexcept
      : handles_(std::move(handles)) {}

  // The next one that is done, at once if there is one already; empty when all have been given.
  // Throws TimeoutError once the limit is over, for each one that was not done by then, and
  // CancelledError, which leaves the tasks alone and loses none. Several may wait: first come
  // first served.
  [[nodiscard]] detail::NextCompleted<H> next() const noexcept { return {handles_}; }

 private:
  detail::Ref<detail::CompletedHandles<H>> handles_;
};

namespace detail {

template <class H>
AsCompleted<H> in_order_of_completion(std::vector<H> handles, TimeLimit limit) {
  const TimePoint deadline = limit.has_value() ? limit.deadline(now()) : never;
  if (!handles.empty()) handles = without_duplicates(std::move(handles), "as_completed");
  return AsCompleted<H>(Ref(new CompletedHandles<H>(std::move(handles), deadline), AdoptRef{}));
}

// A handle stays what it is, anything else that can be awaited becomes a task.
template <class A>
auto completed_handle(A&& awaitable) {
  if constexpr (WaitHandle<A>) {
    return std::remove_cvref_t<A>(std::forward<A>(awaitable));
  } else {
    return create_task(take_over(std::forward<A>(awaitable)));
  }
}

}  // namespace detail

// for tasks that are worth looking at one by one:
//   auto it = as_completed(tasks, 2s);
//   while (auto next = co_await it.next()) use(next->result());
//
// Takes a range or a braced list of Tasks or Futures of one type, or of TaskRefs; coroutines and
// other awaitables become tasks at the call. What is given twice comes once. The limit, if any,
// counts from the call. Throws std::invalid_argument if a handle is empty.
template <std::ranges::input_range R>
  requires(!Awaitable<std::remove_cvref_t<R>>)
auto as_completed(R&& tasks, TimeLimit limit = {}) {
  if constexpr (detail::WaitHandle<detail::HandleOf<R>>) {
    return detail::in_order_of_completion(detail::handles_of(std::forward<R>(tasks)), limit);
  } else {
    using Iterator = std::ranges::iterator_t<R>;
    using H =
        decltype(detail::completed_handle(detail::take_element<R>(std::declval<Iterator&>())));
    std::vector<H> handles;
    for (auto it = std::ranges::begin(tasks); it != std::ranges::end(tasks); ++it)
      handles.push_back(detail::completed_handle(detail::take_element<R>(it)));
    return detail::in_order_of_completion(std::move(handles), limit);
  }
}
template <class T>
AsCompleted<Task<T>> as_completed(std::initializer_list<Task<T>> tasks, TimeLimit limit = {}) {
  return detail::in_order_of_completion(std::vector(tasks), limit);
}
template <class T>
AsCompleted<Future<T>> as_completed(std::initializer_list<Future<T>> futures,
                                    TimeLimit limit = {}) {
  return detail::in_order_of_completion(std::vector(futures), limit);
}
inline AsCompleted<TaskRef> as_completed(std::initializer_list<TaskRef> tasks,
                                         TimeLimit limit = {}) {
  return detail::in_order_of_completion(std::vector(tasks), limit);
}
// Coroutines, which a braced list cannot hold: as_completed(fetch(a), fetch(b)).
template <Awaitable A, Awaitable... As>
  requires(sizeof...(As) > 0)
auto as_completed(A&& first, As&&... rest) {
  std::vector handles{detail::completed_handle(std::forward<A>(first))};
  (handles.push_back(detail::completed_handle(std::forward<As>(rest))), ...);
  return detail::in_order_of_completion(std::move(handles), TimeLimit());
}

}  // namespace coil
