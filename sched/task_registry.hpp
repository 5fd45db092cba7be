// The live tasks that a loop has taken over, so that shutdown and all_tasks() find every one.
//
// Invariant: a task is linked from start_task() until task_finished(), which may come on another
// loop's thread; both under the lock of its shard (by task number: neighbours in time, which end
// on different loops, do not meet). The only loop of a Runner needs no lock: tasks that other
// threads make are linked when it takes them out of its inbox. Linked tasks hold a reference to
// themselves.
#pragma once

#include <array>
#include <coil/detail/spin_lock.hpp>
#include <coil/detail/task_base.hpp>
#include <cstddef>

namespace coil::detail {

class TaskRegistry {
 public:
  explicit TaskRegistry(bool shared) noexcept : shared_(shared) {}

  void add(TaskBase& task) noexcept {
    task.registry = this;
    Shard& shard = shard_of(task);
    const Guard guard(*this, shard);
    task.registry_next = shard.first;
    if (shard.first != nullptr) shard.first->registry_previous = &task;
    shard.first = &task;
    shard.size.store(shard.size.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  static void remove(TaskBase& task) noexcept {
    auto& self = *static_cast<TaskRegistry*>(task.registry);
    Shard& shard = self.shard_of(task);
    const Guard guard(self, shard);
    (task.registry_previous != nullptr ? task.registry_previous->registry_next : shard.first) =
        task.registry_next;
    if (task.registry_next != nullptr)
      task.registry_next->registry_previous = task.registry_previous;
    shard.size.store(shard.size.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  }
  // Calls fn(task) for each, under a lock.
  template <class Fn>
  void for_each(Fn&& fn) {
    for (Shard& shard : shards_) {
      const Guard guard(*this, shard);
      for (TaskBase* task = shard.first; task != nullptr; task = task->registry_next) fn(*task);
    }
  }
  // Any thread.
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t n = 0;
    for (const Shard& shard : shards_) n += shard.size.load(std::memory_order_relaxed);
    return n;
  }

 private:
  struct alignas(64) Shard {
    SpinLock lock;
    TaskBase* first = nullptr;
    Atomic<std::size_t> size{0};
  };

  class Guard {
   public:
    Guard(TaskRegistry& registry, Shard& shard) noexcept
        : lock_(registry.shared_ ? &shard.lock : nullptr) {
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

  [[nodiscard]] Shard& shard_of(const TaskBase& task) noexcept {
    return shards_[shared_ ? task.id() % shards_.size() : 0];
  }

  const bool shared_;
  std::array<Shard, 16> shards_;
};

}  // namespace coil::detail
