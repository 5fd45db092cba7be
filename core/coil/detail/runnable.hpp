// What a loop's queues hold: tasks, and callbacks that are no task.
//
// Invariant: a Runnable is in at most one queue at a time; `next` belongs to that queue.
#pragma once

namespace coil::detail {

struct Runnable {
  using Run = void (*)(Runnable&) noexcept;

  Runnable* next = nullptr;
  Run run = nullptr;  // null: a TaskBase, which the loop resumes directly
};

}  // namespace coil::detail
