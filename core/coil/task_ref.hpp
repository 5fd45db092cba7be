// TaskRef: a handle to a task whose result type is not known (what current_task and all_tasks
// give, what wait and as_completed take).
#pragma once

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

  [[nodiscard]] detail::TaskBase* get() const noexcept { return task_; }
  [[nodiscard]] friend bool operator==(const TaskRef& a, const TaskRef& b) noexcept {
    return a.task_ == b.task_;
  }

 private:
  [[nodiscard]] detail::TaskBase& checked() const;

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
