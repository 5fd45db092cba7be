#include <coil/arena_executor.hpp>

#include "arena_pool.hpp"

namespace coil {

ArenaExecutor::ArenaExecutor(ArenaOptions options)
    : pool_(new detail::ArenaPool(options), detail::AdoptRef{}) {}

ArenaExecutor::~ArenaExecutor() {
  try {
    (void)pool_->close({});
  } catch (...) {  // no memory for the future: it would have been dropped
  }
  pool_->wait();
}

int ArenaExecutor::concurrency() const noexcept { return pool_->concurrency(); }
void ArenaExecutor::execute(Work& work) { pool_->execute(work); }
Future<void> ArenaExecutor::close(ShutdownOptions options) { return pool_->close(options); }

}  // namespace coil
