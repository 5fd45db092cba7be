// How threads that are none of a Runner's loops hand things to them, until the Runner closes.
//
//   foreign thread                           the thread that closes the Runner
//   1. enter(): counts itself, and is        a. shut(): refuses from here on
//      refused if the gate is shut           b. waits until nobody is inside
//   2. hands over, wakes a loop              c. runs what was handed over, stops the loops
//   3. leave(): its last touch               d. close(): refuses everybody, waits, destroys
//
// 1, 3 and a are read-modify-writes of one word, so they have one order. 1 before a: b waits for 3,
// and c finds what 2 brought. a before 1: refused.
// Two kinds must come in after a. Whoever wakes a task uses pass(): c awaits that task, so the
// Runner is still there, and d waits for the thread, which may ring the loop's bell when the task
// has long ended. Whoever completes a future uses enter_late(): its callbacks belong on their loop
// as long as that runs. For those who may come after d the gate is counted, and outlives the rest.
// Kept by tests/sched/gate_test.cpp and runner_close_test.cpp.
#pragma once

#include <coil/detail/atomic.hpp>
#include <cstdint>
#include <thread>

namespace coil::detail {

class Gate {
 public:
  // False: shut, and the caller is not inside.
  [[nodiscard]] bool enter() noexcept { return enter_unless(shut_bit); }
  // The same, but only close() refuses.
  [[nodiscard]] bool enter_late() noexcept { return enter_unless(closed_bit); }
  void pass() noexcept { word_.fetch_add(visitor, std::memory_order_acq_rel); }
  void leave() noexcept { word_.fetch_sub(visitor, std::memory_order_acq_rel); }

  // Both wait until nobody is inside. Visits are short: a push and a wake-up.
  void shut() noexcept { refuse(shut_bit); }
  void close() noexcept { refuse(shut_bit | closed_bit); }
  // Takes shut() back.
  void reopen() noexcept { word_.fetch_and(~shut_bit, std::memory_order_acq_rel); }
  // The Runner's reference, and those of LoopLinks.
  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  [[nodiscard]] bool is_shut() const noexcept {
    return (word_.load(std::memory_order_acquire) & shut_bit) != 0;
  }

 private:
  static constexpr std::uint64_t shut_bit = 1;
  static constexpr std::uint64_t closed_bit = 2;
  static constexpr std::uint64_t visitor = 4;

  [[nodiscard]] bool enter_unless(std::uint64_t bit) noexcept {
    if ((word_.fetch_add(visitor, std::memory_order_acq_rel) & bit) == 0) return true;
    leave();
    return false;
  }
  void refuse(std::uint64_t bits) noexcept {
    word_.fetch_or(bits, std::memory_order_acq_rel);
    while (word_.load(std::memory_order_acquire) >= visitor) std::this_thread::yield();
  }

  Atomic<std::uint64_t> word_{0};
  Atomic<std::uint32_t> references_{1};
};

}  // namespace coil::detail
