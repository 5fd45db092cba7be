#include <coil/detail/loops.hpp>
#include <coil/exceptions.hpp>

#include "worker_pool.hpp"

namespace coil::detail {

std::vector<Loop*> running_loops(const char* operation) {
  Worker* worker = current_worker();
  if (worker == nullptr) throw NoRunningLoop(operation);
  WorkerPool& pool = worker->pool();
  std::vector<Loop*> loops;
  loops.reserve(pool.size());
  for (std::size_t i = 0; i < pool.size(); ++i) loops.push_back(&pool.worker(i).loop());
  return loops;
}

}  // namespace coil::detail
