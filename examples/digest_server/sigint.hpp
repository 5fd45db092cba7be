// Ctrl-C. While a Runner runs, Coil turns it into KeyboardInterrupt; between two runs nobody
// would, and it would kill the program before it has printed its table. So it is held back
// everywhere but in a coroutine that runs on the main thread and has an AllowSigint.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace demo {

// Main thread, before anything else.
inline void hold_sigint_back() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// One came while it was held back.
[[nodiscard]] inline bool sigint_is_pending() noexcept {
  sigset_t set;
  return sigpending(&set) == 0 && sigismember(&set, SIGINT) == 1;
}

// Must end on the thread that made it: only for tasks that are pinned to loop 0.
class AllowSigint {
 public:
  AllowSigint() noexcept {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  }
  ~AllowSigint() { hold_sigint_back(); }
  AllowSigint(const AllowSigint&) = delete;
  AllowSigint& operator=(const AllowSigint&) = delete;
};

}  // namespace demo
