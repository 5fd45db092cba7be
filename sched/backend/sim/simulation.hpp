// Drives all loops of a Runner on one thread: who runs next is drawn from a seed, and time jumps
// to the next timer when nothing can run.
//
// Invariant: the same seed and program give the same run. On one loop tasks keep their order, as
// the contract promises; with several, so do each loop's pinned tasks and callbacks, and the tasks
// in its run queue, but the loop and the list are drawn, and an idle loop steals.
#pragma once

#include <coil/detail/atomic.hpp>
#include <cstdint>
#include <string>

#include "../../steal_order.hpp"

namespace coil::detail {

class WorkerPool;

class Simulation {
 public:
  Simulation(WorkerPool& pool, std::uint64_t seed) noexcept : pool_(pool), random_(seed + 1) {}

  // Runs until `done`. False: nothing can run any more, and nothing ever will.
  [[nodiscard]] bool run_until(const Atomic<bool>& done);
  // "3 tasks wait for ever: 'consumer' (future), 'Task-4' (sleep), ..."
  [[nodiscard]] std::string describe_deadlock();

 private:
  bool step();
  bool take_messages();
  bool advance_time();

  WorkerPool& pool_;
  Random random_;
};

}  // namespace coil::detail
