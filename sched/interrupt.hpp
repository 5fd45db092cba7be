// SIGINT, and SIGTERM if it was asked for, while run() is running.
#pragma once

#include <atomic>

#include "signal_table.hpp"

namespace coil::detail {

class WorkerPool;

// While it lives, and if nobody else handles the signal, the first one interrupts the pool and the
// second ends the program as if nothing had been installed. A handler that the Runner's user adds
// comes before it. One pool at a time: a Runner that is run on a second thread meanwhile leaves the
// signal alone.
class InterruptGuard final : SignalReceiver {
 public:
  InterruptGuard(WorkerPool& pool, int signal);
  ~InterruptGuard() { claim_.release(); }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  void signal_arrived(int signal) noexcept override;

  WorkerPool& pool_;
  std::atomic<bool> arrived_{false};
  SignalClaim claim_;
};

}  // namespace coil::detail
