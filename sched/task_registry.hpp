// The live tasks that a loop has taken over, so that shutdown and all_tasks() find every one.
//
// Invariant: a task is linked from start_task() until task_finished(), which may come on another
// loop's thread; both under the lock. Linked tasks hold a reference to themselves.
#pragma once

#include <coil/detail/spin_lock.hpp>
#include <coil/detail/task_base.hpp>
#include <cstddef>

namespace coil::detail {

class TaskRegistry {
 public:
  void add(TaskBase& task) noexcept {
    task.registry = this;
    const SpinGuard guard(lock_);
    task.registry_next = first_;
    if (first_ != nullptr) first_->registry_previous = &task;
    first_ = &task;
    ++size_;
  }
  static void remove(TaskBase& task) noexcept {
    auto& self = *static_cast<TaskRegistry*>(task.registry);
    const SpinGuard guard(self.lock_);
    (task.registry_previous != nullptr ? task.registry_previous->registry_next : self.first_) =
        task.registry_next;
    if (task.registry_next != nullptr)
      task.registry_next->registry_previous = task.registry_previous;
    --self.size_;
  }
  // Calls fn(task) for each, newest first, under the lock.
  template <class Fn>
  void for_each(Fn&& fn) {
    const SpinGuard guard(lock_);
    for (TaskBase* task = first_; task != nullptr; task = task->registry_next) fn(*task);
  }
  [[nodiscard]] std::size_t size() noexcept {
    const SpinGuard guard(lock_);
    return size_;
  }

 private:
  SpinLock lock_;
  TaskBase* first_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace coil::detail
