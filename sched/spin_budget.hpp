// How long an idle loop looks around before it sleeps: as long as that has paid lately.
//
// Waking a sleeping processor costs some 25 us, so a short sleep is worth more as a spin; a long
// one is not. Invariant: at most spin_max per sleep, and nothing at all while sleeps are long, so
// that an idle program costs nothing.
#pragma once

#include <algorithm>
#include <coil/time.hpp>

namespace coil::detail {

class SpinBudget {
 public:
  [[nodiscard]] Duration next() const noexcept { return budget_; }
  // A sleep (or a spin that found something) lasted this long.
  void waited(Duration d) noexcept {
    if (d <= worth_it) {
      budget_ = std::min(spin_max, std::max(spin_min, budget_ * 2));
    } else {
      budget_ = budget_ / 2 < spin_min / 4 ? Duration::zero() : budget_ / 2;
    }
  }

 private:
  static constexpr Duration spin_max = std::chrono::microseconds(50);
  static constexpr Duration spin_min = std::chrono::microseconds(8);
  static constexpr Duration worth_it = std::chrono::microseconds(60);
  Duration budget_ = Duration::zero();
};

}  // namespace coil::detail
