// A loop without a Runner, driven by whoever calls run_until_complete() or run_forever().
//
// Invariant: halt_ is set by whatever ends the run, by any thread, and cleared by the run itself:
// a stop() that comes between two runs ends the next one.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/loop.hpp>

#include "worker_pool.hpp"

namespace coil::detail {

class HandDriver {
 public:
  HandDriver();

  [[nodiscard]] WorkerPool& pool() noexcept { return pool_; }
  [[nodiscard]] Worker& worker() noexcept { return pool_.worker(0); }
  // Throws std::runtime_error, naming the operation, if this thread may not run it now.
  void check_can_run(const char* operation);
  // False: stopped before. Throws std::runtime_error for a deadlock under simulation.
  [[nodiscard]] bool run_until_done(FutureBase& future);
  void run_forever();
  void stop() noexcept;
  void close();

 private:
  void run();

  WorkerPool pool_;
  Atomic<bool> halt_{false};
};

}  // namespace coil::detail
