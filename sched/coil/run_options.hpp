// How a Runner is set up.
#pragma once

#include <cstdint>
#include <string>

namespace coil {

// Who talks to the kernel. automatic takes the best that this machine allows. sim is the virtual
// clock and the seeded scheduler of the tests: one thread, no real I/O.
enum class Backend : std::uint8_t { automatic, io_uring, epoll, sim };

// A member left at its default is overridden by its environment variable: COIL_LOOPS, COIL_PIN,
// COIL_DEBUG (0 or 1), COIL_BACKEND (io_uring, epoll, sim), COIL_SIM_SEED. COIL_STEAL=0 switches
// stealing off.
struct RunOptions {
  int loops = 0;  // 0: one per processor that the affinity mask and the cgroup quota allow
  // Bind each loop's thread to a processor. A thread that is made on a loop begins with that
  // loop's binding, as on Linux every thread begins with its maker's.
  bool pin = true;
  bool debug = false;  // report slow callbacks, coroutines never awaited, wrong threads
  Backend backend = Backend::automatic;
  std::string name = {};   // of the threads; default "coil"
  std::uint64_t seed = 0;  // of Backend::sim
  // SIGTERM is a request to shut down, as a supervisor's is: the first one cancels main, as SIGINT
  // does; when all is unwound run() throws TerminationRequest. A second one ends the program at
  // once; SIGINT in the meantime changes nothing. Off: SIGTERM is none of Coil's business.
  bool sigterm = false;
};

}  // namespace coil
