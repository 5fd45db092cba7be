// TaskRef: a handle to a task whose result type is not known (what current_task and all_tasks
// give, what wait and as_completed take).
#pragma once

#include <coil/detail/callback.hpp>
#include <coil/stack_frame.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coil {

class Context;
class Loop;

namespace detail {
class TaskBase;
}  // namespace detail

// Shared, comparable, hashable; false if empty. Thread-safe like Task.
class TaskRef {
 public:
  TaskRef() noexcept = default;
  explicit TaskRef(detail::TaskBase* task) noexcept;
  TaskRef(const TaskRef& other) noexcept;
  TaskRef(TaskRef&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  TaskRef& operator=(TaskRef other) noexcept {
    std::swap(task_, other.task_);
    return *this;
  }
  ~TaskRef();

  [[nodiscard]] explicit operator bool() const noexcept { return task_ != nullptr; }
  // Throw InvalidStateError on an empty handle, like every member below.
  bool cancel(std::string_view message = {}) const;
  [[nodiscard]] int cancelling() const;
  int uncancel() const;
  [[nodiscard]] bool cancelled() const;
  [[nodiscard]] bool done() const;
  [[nodiscard]] std::exception_ptr exception() const;
  [[nodiscard]] std::string name() const;
  void set_name(std::string_view name) const;
  // The task's own context, not a copy (<coil/context.hpp>).
  [[nodiscard]] Context get_context() const;
  [[nodiscard]] Loop& get_loop() const;
  // Its await stack, outermost first; of a failed task the coroutines that the exception left;
  // empty after a result or a cancellation, and for a task that runs on another loop just now. At
  // most `limit` frames: the innermost ones (of a failed task the outermost ones).
  [[nodiscard]] std::vector<StackFrame> get_stack(
      std::size_t limit = static_cast<std::size_t>(-1)) const;
  // Calls fn(task) soon after the end, as Future::add_done_callback does.
  template <class Fn>
  std::uint64_t add_done_callback(Fn fn) const {
    return detail::DoneCallback::enlist(new Callback<Fn>(future(), std::move(fn)));
  }
  // How many callbacks were removed: 0 or 1.
  int remove_done_callback(std::uint64_t id) const;

  [[nodiscard]] detail::TaskBase* get() const noexcept { return task_; }
  [[nodiscard]] friend bool operator==(const TaskRef& a, const TaskRef& b) noexcept {
    return a.task_ == b.task_;
  }
  // Some order, for sets and maps.
  [[nodiscard]] friend std::strong_ordering operator<=>(const TaskRef& a,
                                                        const TaskRef& b) noexcept {
    return a.task_ <=> b.task_;
  }

 private:
  template <class Fn>
  struct Callback final : detail::DoneCallback {
    Callback(detail::FutureBase& task, Fn f) : DoneCallback(task), fn(std::move(f)) {}
    void call(detail::FutureRef task) override { fn(TaskRef(task->as_task())); }
    Fn fn;
  };

  [[nodiscard]] detail::TaskBase& checked() const;
  [[nodiscard]] detail::FutureBase& future() const;

  detail::TaskBase* task_ = nullptr;
};

// The running task; empty outside one. Its name() tells which (asyncio.current_task).
[[nodiscard]] TaskRef current_task() noexcept;
// Every task of this Runner that has not ended, on all loops (asyncio.all_tasks).
[[nodiscard]] std::vector<TaskRef> all_tasks();

}  // namespace coil

template <>
struct std::hash<coil::TaskRef> {
  std::size_t operator()(const coil::TaskRef& task) const noexcept {
    return std::hash<const void*>()(task.get());
  }
};
