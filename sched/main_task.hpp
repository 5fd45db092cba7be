// One Runner::run(): drives the main task to its end and gives out how it ended.
#pragma once

#include <coil/detail/task_base.hpp>

#include "driver.hpp"

namespace coil::detail {

class MainTask {
 public:
  MainTask(WorkerPool& pool, TaskBase& task) : pool_(pool), driver_(pool), task_(&task) {}

  // What happens to the tasks that are left when the main task has ended: asyncio.run cancels and
  // awaits them, asyncio.Runner.run leaves them to the next run() or to close().
  enum class Rest : bool { Keep, Cancel };

  // Throws what the main task threw, KeyboardInterrupt after a
  // SIGINT that cancelled it or came later, or std::runtime_error for a deadlock under simulation.
  void run(Rest rest);

 private:
  static void on_interrupt(void* self);

  WorkerPool& pool_;
  Driver driver_;
  Ref<TaskBase> task_;
  bool interrupted_ = false;
  bool interrupted_late_ = false;  // when the main task had ended
};

}  // namespace coil::detail
