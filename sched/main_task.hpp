// One Runner::run(): drives the main task to its end, then everything that it left behind.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/task_base.hpp>
#include <exception>
#include <optional>

#include "backend/sim/simulation.hpp"
#include "worker_pool.hpp"

namespace coil::detail {

class MainTask {
 public:
  MainTask(WorkerPool& pool, TaskBase& task) : pool_(pool), task_(&task) {}

  // Returns when no task is left. Throws what the main task threw, KeyboardInterrupt after a
  // SIGINT that cancelled it, or std::runtime_error for a deadlock under simulation.
  void run();

 private:
  void drive_until_done(FutureBase& future);
  void cancel_rest();
  void report_failures(const std::vector<Ref<TaskBase>>& tasks);
  static void on_interrupt(void* self);

  WorkerPool& pool_;
  Ref<TaskBase> task_;
  std::optional<Simulation> simulation_;
  std::exception_ptr deadlock_;
  bool interrupted_ = false;
};

}  // namespace coil::detail
