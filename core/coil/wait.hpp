// wait (asyncio.wait): until some or all of the given tasks and futures are done, or time is up.
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/current_task.hpp>
#include <coil/detail/sleep_awaiter.hpp>
#include <coil/detail/wait_awaiter.hpp>
#include <coil/detail/wait_handles.hpp>
#include <coil/task.hpp>
#include <coil/task_ref.hpp>
#include <coil/time.hpp>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace coil {

// FIRST_EXCEPTION: at the first that fails, which a cancelled one does not; else ALL_COMPLETED.
enum class ReturnWhen : std::uint8_t { FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED };
using enum ReturnWhen;

struct WaitOptions {
  TimeLimit timeout = {};  // std::nullopt: none. Zero or less: yields once, then looks
  ReturnWhen return_when = ALL_COMPLETED;
};

// Both in input order, each handle once.
template <class H>
struct WaitResult {
  std::vector<H> done;
  std::vector<H> pending;
};

namespace detail {

[[nodiscard]] GatherMode mode_of(ReturnWhen when);

template <class H>
Coro<WaitResult<H>> wait_for_handles(std::vector<H> handles, WaitOptions options) {
  auto state = GatherState::make(handles.size(), mode_of(options.return_when));
  TaskBase& self = co_await CurrentTask();
  for (const H& handle : handles) {
    FutureBase* target = state_of(handle);
    if (target == &self && options.return_when == ALL_COMPLETED && !options.timeout.has_value())
      self.throw_awaits_itself();
    state->add(FutureRef(target), nullptr);
  }
  const bool at_once = options.timeout.has_value() && options.timeout.value() <= Duration::zero();
  // As in asyncio it suspends in any case, so that a loop around it lets others run.
  if (at_once || state->settled()) {
    co_await YieldAwaiter();
  } else {
    co_await WaitAwaiter(*state,
                         options.timeout.has_value() ? options.timeout.deadline(now()) : never);
  }
  WaitResult<H> result;
  for (H& handle : handles)
    (state_of(handle)->done() ? result.done : result.pending).push_back(std::move(handle));
  co_return result;
}

}  // namespace detail

// auto [done, pending] = co_await wait(tasks, {.timeout = 2s, .return_when = FIRST_COMPLETED});
//
// Takes a range or a braced list of Tasks or Futures of one type, or of TaskRefs (any task converts
// to one). Never cancels and never throws for the tasks, and a timeout is no exception: what is not
// done by then is pending. Cancelling it leaves the tasks alone. Suspends always.
// Throws std::invalid_argument, at the call, if there is nothing to wait for or a handle is empty.
// A coroutine is to be made a task first.
template <std::ranges::input_range R>
auto wait(R&& tasks, WaitOptions options = {}) -> Coro<WaitResult<detail::HandleOf<R>>> {
  using H = detail::HandleOf<R>;
  static_assert(detail::WaitHandle<H>,
                "wait takes tasks and futures: pass a coroutine to create_task first");
  return detail::wait_for_handles(
      detail::without_duplicates(detail::handles_of(std::forward<R>(tasks)), "wait"), options);
}
template <class T>
Coro<WaitResult<Task<T>>> wait(std::initializer_list<Task<T>> tasks, WaitOptions options = {}) {
  return detail::wait_for_handles(detail::without_duplicates(std::vector(tasks), "wait"), options);
}
template <class T>
Coro<WaitResult<Future<T>>> wait(std::initializer_list<Future<T>> futures,
                                 WaitOptions options = {}) {
  return detail::wait_for_handles(detail::without_duplicates(std::vector(futures), "wait"),
                                  options);
}
inline Coro<WaitResult<TaskRef>> wait(std::initializer_list<TaskRef> tasks,
                                      WaitOptions options = {}) {
  return detail::wait_for_handles(detail::without_duplicates(std::vector(tasks), "wait"), options);
}

}  // namespace coil
