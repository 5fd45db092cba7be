// Runs the loops of a pool from the thread that owns it, loop 0 on this thread, until something
// has happened.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/task_base.hpp>
#include <exception>
#include <optional>
#include <vector>

#include "backend/sim/simulation.hpp"
#include "worker_pool.hpp"

namespace coil::detail {

class Driver {
 public:
  explicit Driver(WorkerPool& pool) noexcept : pool_(pool) {}

  // False: under simulation, nothing can run any more.
  [[nodiscard]] bool run_until(const Atomic<bool>& done);
  // Under simulation a deadlock may show: then every task is cancelled, and deadlock() says so.
  void run_until_done(FutureBase& future);
  // Cancels and awaits every task, and those that they make meanwhile; reports their failures.
  // Then closes the generators that are left, and awaits what goes on outside (OutsideWork).
  void cancel_rest();
  // Runs what has been posted to any loop, and what that posts, unless it goes on for ever.
  void settle();
  [[nodiscard]] const std::exception_ptr& deadlock() const noexcept { return deadlock_; }

 private:
  [[nodiscard]] bool close_generators();
  [[nodiscard]] bool await_outside_work();
  void report_failures(const std::vector<Ref<TaskBase>>& tasks);
  [[nodiscard]] std::uint64_t callbacks_run();

  WorkerPool& pool_;
  std::optional<Simulation> simulation_;
  std::exception_ptr deadlock_;
};

}  // namespace coil::detail
