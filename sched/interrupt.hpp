// SIGINT while run() is running.
#pragma once

#include <signal.h>

namespace coil::detail {

class WorkerPool;

// While it lives, and if nobody else handles SIGINT, the first one interrupts the pool and the
// second ends the program as if nothing had been installed. One pool at a time: a Runner that is
// run on a second thread meanwhile leaves the signal alone.
class InterruptGuard {
 public:
  explicit InterruptGuard(WorkerPool& pool);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  bool installed_ = false;
  struct sigaction before_{};
};

}  // namespace coil::detail
