#include <coil/thread_pool_executor.hpp>
#include <utility>

#include "thread_pool.hpp"

namespace coil {

ThreadPoolExecutor::ThreadPoolExecutor(ThreadPoolOptions options)
    : pool_(new detail::ThreadPool(std::move(options)), detail::AdoptRef{}) {}

ThreadPoolExecutor::~ThreadPoolExecutor() {
  pool_->close_calls(false);
  pool_->join();
}

void ThreadPoolExecutor::execute(Work& work) { pool_->execute(work); }
Future<void> ThreadPoolExecutor::close(ShutdownOptions options) { return pool_->close(options); }

}  // namespace coil
