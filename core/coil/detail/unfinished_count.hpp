// How many items of a queue were put and are not reported done yet; join() waits for none.
//
// Invariant: done <= accepted, both only grow, so whoever reads done and then accepted and finds
// them equal knows that they were so when it read done. Joiners enter the line under its lock, if
// there is something to wait for; only under the same lock does done grow, so none is missed.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/wait_line.hpp>
#include <cstdint>

namespace coil::detail {

struct Joiner : Waiter {
  using Waiter::Waiter;
  bool refused = false;  // the queue was destroyed
};

class UnfinishedCount {
 public:
  UnfinishedCount() = default;
  UnfinishedCount(const UnfinishedCount&) = delete;
  UnfinishedCount& operator=(const UnfinishedCount&) = delete;
  ~UnfinishedCount();

  [[nodiscard]] WaitLine& joiners() noexcept { return joiners_; }
  [[nodiscard]] bool none(const Atomic<std::uint64_t>& accepted) const noexcept {
    return done_.load(std::memory_order_acquire) == accepted.load(std::memory_order_relaxed);
  }
  // False: there is none. Else the joiner is in line, and may be gone already.
  [[nodiscard]] bool enter(Joiner& joiner, const Atomic<std::uint64_t>& accepted) noexcept;

  // One is done. Throws std::invalid_argument if there was none.
  void one_done(const Atomic<std::uint64_t>& accepted);
  // `count` more are, but not more than there are. Gives the joiners to wake.
  [[nodiscard]] Waiter* drained(std::uint64_t count,
                                const Atomic<std::uint64_t>& accepted) noexcept;

  static void wake_all(Waiter* first) noexcept;

 private:
  WaitLine joiners_;
  Atomic<std::uint64_t> done_{0};  // written under the line's lock
};

}  // namespace coil::detail
