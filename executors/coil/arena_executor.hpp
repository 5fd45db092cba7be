// ArenaExecutor: threads for functions that compute, of oneTBB.
#pragma once

#include <coil/detail/ref.hpp>
#include <coil/executor.hpp>

namespace coil {

namespace detail {
class ArenaPool;
}

struct ArenaOptions {
  // Threads. 0: the processors that the process was allowed when it began, less the loops that
  // there are in the process now, but at least 1. So loops and compute threads together are no
  // more than the processors, unless there is a loop on each already, or more are asked for here.
  int concurrency = 0;
  // The NUMA node that they run on, hwloc's logical number; -1: all nodes, each with threads of
  // its own, and calls go to the node of the thread that submits them.
  int numa_node = -1;
};

// Functions begin in the order in which they were submitted on a node. Inside them oneTBB's
// algorithms (parallel_for, parallel_reduce, task_group, flow graphs) use the threads of the same
// arena, and a function that waits for its own algorithm does nothing of another function's
// meanwhile. Threads are bound to their node's processors. They are oneTBB's: all arenas of the
// process share them, as do the program's own uses of oneTBB, and a tbb::global_control of the
// program's own limits them too.
//
// Arenas that have more threads, asked for in `concurrency`, than oneTBB would start make it start
// more. Those that have not asked share what is left of the processors between them.
class ArenaExecutor final : public Executor {
 public:
  // Throws std::invalid_argument for a negative concurrency, and for a node that is not there,
  // naming those that are.
  explicit ArenaExecutor(ArenaOptions options = {});
  // As shutdown(), and waits: on a loop `co_await executor.shutdown()` first, or nothing else runs
  // on that loop until the last call has ended.
  ~ArenaExecutor() override;

  // How many functions run at the same time, at most.
  [[nodiscard]] int concurrency() const noexcept;

 private:
  void execute(Work& work) override;
  Future<void> close(ShutdownOptions options) override;

  detail::Ref<detail::ArenaPool> pool_;
};

}  // namespace coil
