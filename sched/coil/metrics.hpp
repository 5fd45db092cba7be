// What a Runner can tell about itself while it runs.
#pragma once

#include <coil/time.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coil {

// Counts since the loop was started; each read is a moment of its own.
struct LoopMetrics {
  std::uint64_t tasks_run = 0;       // times a task was resumed
  std::uint64_t callbacks = 0;       // call_soon and its like
  std::uint64_t stolen_by = 0;       // tasks this loop took from others
  std::uint64_t stolen_from = 0;     // tasks others took from it
  std::uint64_t completions = 0;     // of kernel operations
  std::uint64_t parks = 0;           // times it went to sleep
  std::uint64_t polls = 0;           // times it asked the kernel while awake
  std::chrono::nanoseconds idle{0};  // searching, spinning or asleep
  std::chrono::nanoseconds total{0};
  std::size_t timers = 0;      // live now
  std::size_t operations = 0;  // in flight now
};

struct Metrics {
  std::size_t tasks = 0;  // live now, on all loops
  std::vector<LoopMetrics> loops;
};

}  // namespace coil
