// TaskGroup (asyncio.TaskGroup): tasks that end before the block does.
#pragma once

#include <coil/cancel_scope.hpp>
#include <coil/coro.hpp>
#include <coil/detail/current_task.hpp>
#include <coil/detail/member_group.hpp>
#include <coil/detail/runnable.hpp>
#include <coil/task.hpp>
#include <exception>
#include <source_location>
#include <utility>

namespace coil {

// Lives in with_task_group until its function has ended and all its tasks have. The first that
// fails cancels the body and its siblings; the failures are thrown together as ExceptionGroup.
// create_task may be called from the body and from any task of the group, on any loop.
class TaskGroup : private detail::MemberGroup {
 public:
  TaskGroup() = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // As coil::create_task, and the group waits for it. std::runtime_error once the group is
  // shutting down or has finished, NoRunningLoop off a loop.
  template <Awaitable A>
  Task<detail::AsCoroResult<A>> create_task(
      A awaitable, TaskOptions options = {},
      std::source_location origin = std::source_location::current()) {
    detail::require_open_loop("TaskGroup::create_task");
    return detail::launch(detail::as_coro(std::move(awaitable)), options, nullptr, this, origin);
  }
  template <class Fn>
    requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&>>)
  auto create_task(Fn fn, TaskOptions options = {},
                   std::source_location origin = std::source_location::current()) {
    return create_task(detail::as_coro(std::move(fn)), options, origin);
  }
  template <class Fn, class... Args>
    requires(sizeof...(Args) > 0 && !Awaitable<Fn> &&
             Awaitable<std::invoke_result_t<Fn&, Args && ...>>)
  auto create_task(Fn fn, Args... args) {
    detail::require_open_loop("TaskGroup::create_task");
    return detail::launch(detail::as_coro(std::move(fn), std::move(args)...), {}, nullptr, this,
                          std::source_location::current());
  }

  // For Coil's own use: what with_task_group does around the function.
  void enter(detail::TaskBase& parent) noexcept { open(parent); }
  // Waits for the tasks and throws what there is to throw; else returns.
  [[nodiscard]] Coro<> leave(std::exception_ptr error);

 private:
  void check_open(bool finished) const override;
  void member_failed() noexcept override;
  void parent_cancelled(std::exception_ptr error) noexcept override;
  [[nodiscard]] bool ending() const noexcept override { return aborting_; }
  void abort() noexcept;
  void abort_with_parent() noexcept;
  void cancel_members() noexcept;
  void finish(std::exception_ptr error);

  struct AbortCall : detail::Runnable {
    TaskGroup* group = nullptr;
  };

  AbortCall abort_call_;
  std::exception_ptr cancellation_;  // of the parent, from outside
  // All below under the group's lock.
  bool aborting_ = false;
  bool abort_called_ = false;  // a task has failed, and abort_call_ is on its way
  bool parent_cancel_requested_ = false;
};

namespace detail {

template <class Fn, class T = BodyResult<Fn, TaskGroup>>
Coro<T> run_in_task_group(Fn fn) {
  TaskGroup group;
  group.enter(co_await CurrentTask());
  KeptValue<T> value;
  std::exception_ptr error;
  try {
    decltype(auto) body = call_body(fn, group);
    if constexpr (std::is_void_v<T>) {
      co_await to_await_as<decltype(body)>(body);
    } else {
      value.build(co_await to_await_as<decltype(body)>(body));
    }
  } catch (...) {
    error = std::current_exception();
  }
  co_await group.leave(std::move(error));
  if constexpr (!std::is_void_v<T>) co_return value.take();
}

}  // namespace detail

// Runs fn(group), waits for every task of the group, and gives fn's result. Throws ExceptionGroup
// with all failures (fn's own among them), or CancelledError if cancelled from outside.
template <class Fn>
[[nodiscard]] auto with_task_group(Fn fn) -> Coro<detail::BodyResult<Fn, TaskGroup>> {
  return detail::run_in_task_group(std::move(fn));
}

}  // namespace coil
