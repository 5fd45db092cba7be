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

  // Throws what the main task threw, KeyboardInterrupt (or TerminationRequest) after a SIGINT
  // (SIGTERM) that cancelled it or came later, or std::runtime_error for a deadlock under
  // simulation.
  void run(Rest rest);

 private:
  static void on_interrupt(void* self, int signal);
  // The signal that ended this run, or 0.
  [[nodiscard]] int ended_by();

  WorkerPool& pool_;
  Driver driver_;
  Ref<TaskBase> task_;
  int signal_ = 0;       // that cancelled the main task
  int late_signal_ = 0;  // that came when it had ended
};

}  // namespace coil::detail
