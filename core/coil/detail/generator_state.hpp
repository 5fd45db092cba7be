// Who may run a generator's body, and who holds the generator: two words.
//
//   Created -> Running <-> Suspended (at a co_yield) -> Finished
//
//   a consumer (any task, any loop)          the last holder           run() at its end
//   1. begin(): compare-exchange to          a. drop_ref(): true       i.  try_add_ref(): not from
//   0
//      Running, or is refused                b. hand_over(), or        ii. handed_over(): somebody
//   2. runs the body, takes the item            destroys it                closes it already
//   3. end(): stores what comes after
//
// 3 releases what 1 acquires: between them the frame belongs to one consumer, and consumers on
// different loops may follow each other. b sets the flag before the count is 1 again (release), so
// who counts up from that 1 in i sees it in ii: one of the two closes the generator.
// Kept by tests/model/generator_model.cpp.
#pragma once

#include <coil/detail/atomic.hpp>
#include <cstdint>

namespace coil::detail {

class GeneratorState {
 public:
  enum class Phase : std::uint8_t { Created, Suspended, Running, Finished };
  enum class Step : std::uint8_t { Run, Ended, Busy };

  [[nodiscard]] Phase phase() const noexcept { return phase_.load(std::memory_order_acquire); }

  // Run: the frame is the caller's until end(). Busy: it is another one's.
  [[nodiscard]] Step begin() noexcept {
    auto phase = phase_.load(std::memory_order_relaxed);
    do {
      if (phase == Phase::Finished) return Step::Ended;
      if (phase == Phase::Running) return Step::Busy;
    } while (!phase_.compare_exchange_weak(phase, Phase::Running, std::memory_order_acquire,
                                           std::memory_order_relaxed));
    return Step::Run;
  }
  void end(Phase next) noexcept { phase_.store(next, std::memory_order_release); }
  // True: it had not begun, and never will.
  [[nodiscard]] bool finish_unstarted() noexcept {
    auto phase = Phase::Created;
    return phase_.compare_exchange_strong(phase, Phase::Finished, std::memory_order_acq_rel,
                                          std::memory_order_relaxed);
  }

  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  // True: that was the last one.
  [[nodiscard]] bool drop_ref() noexcept {
    return references_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  // False: the last one has gone.
  [[nodiscard]] bool try_add_ref() noexcept {
    auto count = references_.load(std::memory_order_relaxed);
    while (count != 0)
      if (references_.compare_exchange_weak(count, count + 1, std::memory_order_acquire,
                                            std::memory_order_relaxed))
        return true;
    return false;
  }
  // A task is about to close it, which gets a reference: the holder's own, or, if that was the last
  // one and is dropped already, a new one.
  void hand_over(bool dropped) noexcept {
    handed_over_.store(true, std::memory_order_relaxed);
    if (dropped) references_.store(1, std::memory_order_release);
  }
  [[nodiscard]] bool handed_over() const noexcept {
    return handed_over_.load(std::memory_order_relaxed);
  }

 private:
  Atomic<Phase> phase_{Phase::Created};
  Atomic<bool> handed_over_{false};
  Atomic<std::uint32_t> references_{1};
};

}  // namespace coil::detail
