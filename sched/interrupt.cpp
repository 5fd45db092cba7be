#include "interrupt.hpp"

#include <atomic>
#include <cerrno>
#include <thread>

#include "worker_pool.hpp"

namespace coil::detail {
namespace {

constinit std::atomic<WorkerPool*> interruptible{nullptr};
constinit std::atomic<int> interrupts{0};
// Handlers under way: another thread's may still hold the pool when it is no longer interruptible.
constinit std::atomic<int> handlers{0};

// Async-signal-safe: atomics and a write to an eventfd.
void on_sigint(int) {
  const int saved = errno;
  handlers.fetch_add(1);
  WorkerPool* pool = interruptible.load();
  if (pool != nullptr && interrupts.fetch_add(1) == 0) {
    pool->interrupt();
  } else {
    ::signal(SIGINT, SIG_DFL);
    ::raise(SIGINT);
  }
  handlers.fetch_sub(1);
  errno = saved;
}

}  // namespace

InterruptGuard::InterruptGuard(WorkerPool& pool) {
  if (::sigaction(SIGINT, nullptr, &before_) != 0 || before_.sa_handler != SIG_DFL) return;
  WorkerPool* nobody = nullptr;
  if (!interruptible.compare_exchange_strong(nobody, &pool)) return;
  interrupts.store(0);
  struct sigaction action{};
  action.sa_handler = &on_sigint;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  installed_ = ::sigaction(SIGINT, &action, nullptr) == 0;
  if (!installed_) interruptible.store(nullptr);
}

InterruptGuard::~InterruptGuard() {
  if (!installed_) return;
  ::sigaction(SIGINT, &before_, nullptr);
  interruptible.store(nullptr);
  while (handlers.load() != 0) std::this_thread::yield();
}

}  // namespace coil::detail
