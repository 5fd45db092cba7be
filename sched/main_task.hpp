// One Runner::run(): drives the main task to its end, then everything that it left behind.
#pragma once

#include <coil/detail/task_base.hpp>

#include "driver.hpp"

namespace coil::detail {

class MainTask {
 public:
  MainTask(WorkerPool& pool, TaskBase& task) : pool_(pool), driver_(pool), task_(&task) {}

  // Returns when no task is left. Throws what the main task threw, KeyboardInterrupt after a
  // SIGINT that cancelled it or came later, or std::runtime_error for a deadlock under simulation.
  void run();

 private:
  static void on_interrupt(void* self);

  WorkerPool& pool_;
  Driver driver_;
  Ref<TaskBase> task_;
  bool interrupted_ = false;
  bool interrupted_late_ = false;  // when the main task had ended
};

}  // namespace coil::detail
