// TaskGroup (asyncio.TaskGroup): tasks that end before the block does.
#pragma once

#include <coil/cancel_scope.hpp>
#include <coil/coro.hpp>
#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/scope_node.hpp>
#include <coil/exceptions.hpp>
#include <coil/task.hpp>
#include <exception>
#include <optional>
#include <source_location>
#include <utility>
#include <vector>

namespace coil {

// Lives in with_task_group until its function has ended and all its tasks have. The first that
// fails cancels the body and its siblings; the failures are thrown together as ExceptionGroup.
// create_task may be called from the body and from any task of the group, on any loop.
class TaskGroup : private detail::GroupNode {
 public:
  TaskGroup() = default;
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // As coil::create_task, and the group waits for it. std::runtime_error once the group is
  // shutting down or has finished.
  template <Awaitable A>
  Task<detail::AsCoroResult<A>> create_task(
      A awaitable, TaskOptions options = {},
      std::source_location origin = std::source_location::current()) {
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
    return detail::launch(detail::as_coro(std::move(fn), std::move(args)...), {}, nullptr, this,
                          std::source_location::current());
  }

  // For Coil's own use: what with_task_group does around the function.
  void enter(detail::TaskBase& parent);
  // Waits for the tasks and throws what there is to throw; else returns.
  [[nodiscard]] Coro<> leave(std::exception_ptr error);

 private:
  void add_member(detail::TaskBase& task) override;
  void member_done(detail::TaskBase& task) noexcept override;
  void note_failure(detail::TaskBase& task) noexcept;
  void abort() noexcept;
  void abort_soon() noexcept;
  void abort_with_parent() noexcept;
  void cancel_members() noexcept;
  void finish(std::exception_ptr error, std::exception_ptr cancellation);

  struct AbortCall : detail::Runnable {
    TaskGroup* group = nullptr;
  };

  detail::TaskBase* parent_ = nullptr;
  AbortCall abort_call_;
  // All below under the group's lock.
  int members_ = 0;
  bool finished_ = false;
  bool aborting_ = false;
  bool abort_called_ = false;  // a task has failed, and abort_call_ is on its way
  bool parent_cancel_requested_ = false;
  std::vector<std::exception_ptr> errors_;
  std::exception_ptr base_error_;
  detail::FutureRef all_done_;
};

namespace detail {

template <class Fn, class T = BodyResult<Fn, TaskGroup>>
Coro<T> run_in_task_group(Fn fn) {
  TaskGroup group;
  group.enter(co_await CurrentTask());
  std::optional<NonVoid<T>> value;
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await call_body(fn, group);
    } else {
      value.emplace(co_await call_body(fn, group));
    }
  } catch (...) {
    error = std::current_exception();
  }
  co_await group.leave(std::move(error));
  if constexpr (!std::is_void_v<T>) co_return std::move(*value);
}

}  // namespace detail

// Runs fn(group), waits for every task of the group, and gives fn's result. Throws ExceptionGroup
// with all failures (fn's own among them), or CancelledError if cancelled from outside.
template <class Fn>
[[nodiscard]] auto with_task_group(Fn fn) -> Coro<detail::BodyResult<Fn, TaskGroup>> {
  return detail::run_in_task_group(std::move(fn));
}

}  // namespace coil
