// Cancels and wake-ups that were decided under somebody's lock and are carried out after it.
//
// Invariant: run() is called with no lock held, exactly once, soon; each entry holds a reference.
#pragma once

#include <coil/detail/ref.hpp>
#include <vector>

namespace coil::detail {

class FutureBase;
class TaskBase;

class CancelWork {
 public:
  // A scope of this task (or around it) has been cancelled.
  void add_level(TaskBase& task);
  // This task's suspension is held (TaskState::Request::Hook) for an edge.
  void add_edge_hook(TaskBase& task);
  // This suspended task's wake source is done with it.
  void add_wake(TaskBase& task);
  void run() noexcept;

 private:
  std::vector<Ref<TaskBase>> level_;
  std::vector<Ref<TaskBase>> edge_hooks_;
  std::vector<Ref<TaskBase>> wakes_;
};

}  // namespace coil::detail
