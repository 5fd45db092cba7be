#include "interrupt.hpp"

#include "worker_pool.hpp"

namespace coil::detail {

InterruptGuard::InterruptGuard(WorkerPool& pool, int signal) : pool_(pool) {
  (void)claim_.claim_if_default(signal, *this, &pool);
}

// The disposition was the default one, or we would not be told.
void InterruptGuard::signal_arrived(int signal) noexcept {
  if (!arrived_.exchange(true)) return pool_.interrupt(signal);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace coil::detail
