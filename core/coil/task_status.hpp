// TaskStatus<T> (trio.TaskStatus): with it a child tells Nursery::start that it is ready.
#pragma once

#include <coil/detail/task_status_of.hpp>
#include <coil/future.hpp>
#include <stdexcept>
#include <utility>

namespace coil {

// A copyable handle. One that was made by default ignores started(), so that a function with
// `TaskStatus<T> status = {}` as its last parameter serves start and start_soon alike
// (trio.TASK_STATUS_IGNORED).
template <class T = void>
class TaskStatus {
 public:
  TaskStatus() noexcept = default;
  explicit TaskStatus(Future<T> value) noexcept : value_(std::move(value)) {}

  // Makes Nursery::start return the value; once, from any thread. Throws std::runtime_error if it
  // was called before. If nobody waits any more (the start was cancelled), nothing happens.
  template <class... U>
  void started(U&&... value) const {
    if (!value_.valid()) return;
    if (!value_.try_set_result(std::forward<U>(value)...) && !value_.cancelled())
      throw std::runtime_error("called 'started' twice on the same task status");
  }

 private:
  Future<T> value_;
};

}  // namespace coil
