// The live tasks that a loop has taken over, so that shutdown and all_tasks() find every one.
//
// Invariant: a task is linked from start_task() until task_finished(), which may come on another
// loop's thread; both under the lock. The only loop of a Runner needs no lock: tasks that other
// threads make are linked when it takes them out of its inbox. Linked tasks hold a reference to
// themselves.
#pragma once

#include <coil/detail/spin_lock.hpp>
#include <coil/detail/task_base.hpp>
#include <cstddef>

namespace coil::detail {

class TaskRegistry {
 public:
  explicit TaskRegistry(bool shared) noexcept : shared_(shared) {}

  void add(TaskBase& task) noexcept {
    task.registry = this;
    const Guard guard(*this);
    task.registry_next = first_;
    if (first_ != nullptr) first_->registry_previous = &task;
    first_ = &task;
    size_.store(size() + 1, std::memory_order_relaxed);
  }
  static void remove(TaskBase& task) noexcept {
    auto& self = *static_cast<TaskRegistry*>(task.registry);
    const Guard guard(self);
    (task.registry_previous != nullptr ? task.registry_previous->registry_next : self.first_) =
        task.registry_next;
    if (task.registry_next != nullptr)
      task.registry_next->registry_previous = task.registry_previous;
    self.size_.store(self.size() - 1, std::memory_order_relaxed);
  }
  // Calls fn(task) for each, newest first, under the lock.
  template <class Fn>
  void for_each(Fn&& fn) {
    const Guard guard(*this);
    for (TaskBase* task = first_; task != nullptr; task = task->registry_next) fn(*task);
  }
  // Any thread.
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  class Guard {
   public:
    explicit Guard(TaskRegistry& registry) noexcept
        : lock_(registry.shared_ ? &registry.lock_ : nullptr) {
      if (lock_ != nullptr) lock_->lock();
    }
    ~Guard() {
      if (lock_ != nullptr) lock_->unlock();
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    SpinLock* lock_;
  };

  const bool shared_;
  SpinLock lock_;
  TaskBase* first_ = nullptr;
  Atomic<std::size_t> size_{0};
};

}  // namespace coil::detail
