// How threads that are none of a Runner's loops hand things to them, until the Runner closes.
//
//   foreign thread                           the thread that closes the Runner
//   1. enter(): counts itself, and is        a. shut(): refuses from here on
//      refused if the gate is shut           b. waits until nobody is inside
//   2. hands over, wakes a loop              c. runs what was handed over, stops the loops
//   3. leave(): its last touch               d. wait_until_empty(), then destroys everything
//
// 1, 3 and a are read-modify-writes of one word, so they have one order. 1 before a: b waits for 3,
// and c finds what 2 brought. a before 1: refused. Whoever wakes a task that waits already must not
// be refused, and uses pass(): the task is awaited by c, so d alone has to wait for that thread,
// which may still be ringing the loop's bell when the task has long ended.
// Kept by tests/sched/gate_test.cpp.
#pragma once

#include <coil/detail/atomic.hpp>
#include <cstdint>
#include <thread>

namespace coil::detail {

class Gate {
 public:
  // False: shut, and the caller is not inside.
  [[nodiscard]] bool enter() noexcept {
    if ((word_.fetch_add(visitor, std::memory_order_acq_rel) & shut_bit) == 0) return true;
    leave();
    return false;
  }
  void pass() noexcept { word_.fetch_add(visitor, std::memory_order_acq_rel); }
  void leave() noexcept { word_.fetch_sub(visitor, std::memory_order_acq_rel); }

  // Visits are short: a push and a wake-up.
  void shut() noexcept {
    word_.fetch_or(shut_bit, std::memory_order_acq_rel);
    wait_until_empty();
  }
  void wait_until_empty() noexcept {
    while ((word_.load(std::memory_order_acquire) & ~shut_bit) != 0) std::this_thread::yield();
  }
  [[nodiscard]] bool is_shut() const noexcept {
    return (word_.load(std::memory_order_acquire) & shut_bit) != 0;
  }

 private:
  static constexpr std::uint64_t shut_bit = 1;
  static constexpr std::uint64_t visitor = 2;

  Atomic<std::uint64_t> word_{0};
};

}  // namespace coil::detail
