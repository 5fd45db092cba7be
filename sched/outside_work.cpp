#include <coil/detail/outside_work.hpp>
#include <coil/exceptions.hpp>

#include "worker_pool.hpp"

namespace coil::detail {

OutsideWork::OutsideWork(const char* operation) {
  Worker* worker = current_worker();
  if (worker == nullptr) throw NoRunningLoop(operation);
  WorkerPool& pool = worker->pool();
  if (pool.refuses_tasks()) throw LoopClosed(operation);
  pool.outside_count().begin();
  pool_ = &pool;
}

// Once it is counted out the Runner may close: it waits at its gate until we have left.
void OutsideWork::end() noexcept {
  Gate& gate = pool_->gate();
  gate.pass();
  if (const FutureRef drained = pool_->outside_count().end()) drained->finish_value();
  gate.leave();
}

}  // namespace coil::detail
