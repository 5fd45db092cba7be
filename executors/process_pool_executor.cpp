#include <signal.h>

#include <coil/process_pool_executor.hpp>

#include "process_pool.hpp"

namespace coil {

ProcessPoolExecutor::ProcessPoolExecutor(ProcessPoolOptions options)
    : pool_(new detail::ProcessPool(std::move(options)), detail::AdoptRef{}) {}

ProcessPoolExecutor::~ProcessPoolExecutor() {
  (void)pool_->close({.wait = false});
  pool_->join();
}

void ProcessPoolExecutor::execute(Work& work) { pool_->execute(work); }
Future<void> ProcessPoolExecutor::close(ShutdownOptions options) { return pool_->close(options); }
void ProcessPoolExecutor::kill_workers() { pool_->end_workers(SIGKILL); }
void ProcessPoolExecutor::terminate_workers() { pool_->end_workers(SIGTERM); }

}  // namespace coil
