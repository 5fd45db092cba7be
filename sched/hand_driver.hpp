// A loop without a Runner, driven by whoever calls run_until_complete() or run_forever().
//
// Invariant: everything but the number of the run belongs to the thread that drives. A stop() is a
// callback that knows which run it ends: the one in progress, or else the next.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/loop.hpp>
#include <cstdint>

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
  // On the loop: ends the run in progress.
  void halt() noexcept { halt_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t run_number() const noexcept {
    return number_.load(std::memory_order_relaxed);
  }
  void close();
  // The Loop goes, and what could not be closed stays: nobody gets in any more.
  void forget_loop() noexcept;

 private:
  void run();

  WorkerPool pool_;
  Atomic<bool> halt_{false};
  Atomic<std::uint64_t> number_{0};
};

}  // namespace coil::detail
