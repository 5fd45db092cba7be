// What the stages have done so far. Tasks on several loops count, one reads.
#pragma once

#include <atomic>
#include <chrono>
#include <coil/time.hpp>
#include <cstdint>

namespace pipeline {

struct Stage {
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> ns{0};  // from the hand-over to the result, summed over all calls
};

struct Totals {
  Stage read, compress, inspect, record;
  std::atomic<std::uint64_t> crashes{0};
  std::atomic<std::uint64_t> failed{0};
};

// One call, counted once it is done().
class StageTimer {
 public:
  explicit StageTimer(Stage& stage) : stage_(stage), begin_(coil::Clock::now()) {}
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

  void done(std::uint64_t bytes) {
    const std::chrono::nanoseconds elapsed = coil::Clock::now() - begin_;
    stage_.calls += 1;
    stage_.bytes += bytes;
    stage_.ns += static_cast<std::uint64_t>(elapsed.count());
  }

 private:
  Stage& stage_;
  coil::TimePoint begin_;
};

}  // namespace pipeline
