#include <coil/detail/lodger.hpp>
#include <coil/exceptions.hpp>

#include "worker_pool.hpp"

namespace coil::detail {

// Two threads may both make one: the second one's is dropped unused.
Lodger& WorkerPool::lodger(MakeLodger make) {
  // Acquire pairs with the exchange's release: it is seen as it was made.
  Lodger* there = lodger_.load(std::memory_order_acquire);
  if (there != nullptr) [[likely]]
    return *there;
  Lodger* const made = make();
  if (lodger_.compare_exchange_strong(there, made, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
    return *made;
  delete made;
  return *there;
}

Lodger& lodger_of(Loop& loop, MakeLodger make) {
  WorkerPool& pool = Worker::of(loop).pool();
  if (pool.closed()) throw LoopClosed("the default executor");
  return pool.lodger(make);
}

}  // namespace coil::detail
