// Whether it pays to wait a moment for the other side of a queue before looking at it again.
//
// Each look at an index that another processor writes costs both sides the transfer of a cache
// line, as much as ten puts or gets; a look that finds nothing costs a suspension and a wake-up on
// top. Where both sides run at the same time, one that waits for the time of a few items finds many
// at its next look, or some instead of none. Where they take turns on one thread, waiting is vain.
// So now and then we find out: an index that moves while we wait shows that somebody runs beside
// us. While it does not, we try less and less often.
// Invariant: nothing but time depends on this.
#pragma once

#include <coil/detail/atomic.hpp>
#include <cstdint>

namespace coil::detail {

class Patience {
 public:
  // In a queue of a few places there is nothing to wait for.
  explicit Patience(std::uint64_t capacity) noexcept : enough_(capacity < 32 ? 0 : 16) {}

  // look() reads the other side's index and gives how much it leaves to do.
  template <class Look>
  std::uint64_t look(Look look) noexcept {
    if (few_ && beside_) wait();
    std::uint64_t found = look();
    few_ = found < 4 * enough_;
    if (found >= enough_) {
      if (!few_ && pauses_ > 1) --pauses_;
      return found;
    }
    if (beside_) {
      if (pauses_ < pauses_max) pauses_ *= 2;
      for (int i = 0; found == 0 && i < tries; ++i) {
        wait();
        found = look();
      }
      if (found == 0) learn(false);
    } else if (--until_trial_ == 0) {
      const std::uint64_t before = found;
      wait();
      found = look();
      learn(found != before);
    }
    return found;
  }

 private:
  static constexpr std::uint8_t pauses_max = 16;  // some hundred nanoseconds
  static constexpr int tries = 2;
  static constexpr std::uint8_t often = 4;
  static constexpr std::uint8_t seldom = 128;

  void wait() const noexcept {
#ifndef COIL_MODEL  // there a pause waits for somebody else's step
    for (int i = 0; i < pauses_; ++i) spin_pause();
#endif
  }
  void learn(bool beside) noexcept {
    beside_ = beside;
    if (beside) {
      interval_ = often;
    } else if (interval_ < seldom) {
      interval_ *= 2;
    }
    until_trial_ = interval_;
  }

  const std::uint8_t enough_;
  bool few_ = false;     // the last look did not leave much to do
  bool beside_ = false;  // the other side runs at the same time
  std::uint8_t interval_ = often;
  std::uint8_t until_trial_ = often;
  std::uint8_t pauses_ = 4;
};

}  // namespace coil::detail
