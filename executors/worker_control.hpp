// What a worker process and its pool share: which of the calls that were sent have begun.
//
//   the pool                                 the worker
//   1. slot: Sent, sends the call            a. receives the call
//   2. wants it back: Sent -> Revoked        b. slot: Sent -> Begun; lost: skips the call
//   3. the worker has died:                  c. calls the function, sends the result
//      Sent: the call never began
//
// 2 and b are compare-exchanges of one word, which also names the call: so a call is either made
// by this worker or sent to another one, and of one that died it is known which it was in.
// Kept by tests/executors/process_death_test.cpp, "kills_..._none_runs_twice".
#pragma once

#include <array>
#include <coil/detail/atomic.hpp>
#include <cstdint>

namespace coil::detail {

class CallSlot {
 public:
  // The pool, of a slot that no call is in.
  void send(std::uint32_t sequence) noexcept {
    word_.store(word(sequence, Step::Sent), std::memory_order_release);
  }
  // The pool: true if the call will not begin any more.
  [[nodiscard]] bool revoke(std::uint32_t sequence) noexcept {
    return change(sequence, Step::Revoked);
  }
  // The worker: true if the call is its to make.
  [[nodiscard]] bool begin(std::uint32_t sequence) noexcept {
    return change(sequence, Step::Begun);
  }

 private:
  enum class Step : std::uint64_t { Sent, Begun, Revoked };

  static constexpr std::uint64_t word(std::uint32_t sequence, Step step) noexcept {
    return std::uint64_t{sequence} << 2 | static_cast<std::uint64_t>(step);
  }
  bool change(std::uint32_t sequence, Step to) noexcept {
    auto expected = word(sequence, Step::Sent);
    return word_.compare_exchange_strong(expected, word(sequence, to), std::memory_order_acq_rel,
                                         std::memory_order_acquire);
  }

  Atomic<std::uint64_t> word_{0};
};

struct WorkerControl {
  static constexpr std::uint32_t slots_max = 16;

  std::array<CallSlot, slots_max> slots;
  // How many results that lay in regions the pool has read: their regions may be written again.
  Atomic<std::uint32_t> results_read{0};
};

}  // namespace coil::detail
