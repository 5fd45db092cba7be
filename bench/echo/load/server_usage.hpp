// What the kernel knows of the server's process: processor time, sleeps, memory.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace echo_bench {

struct ServerUsage {
  std::uint64_t cpu_ns = 0;      // all threads, those that have ended too
  std::uint64_t user_ticks = 0;  // of 10 ms; for the split between program and kernel only
  std::uint64_t kernel_ticks = 0;
  std::uint64_t sleeps = 0;  // voluntary context switches of all threads

  // Throws std::system_error if there is no such process.
  static ServerUsage read(pid_t pid);
};

// The resident memory of a process, exact at the moment of the call.
std::uint64_t resident_bytes(pid_t pid);

}  // namespace echo_bench
