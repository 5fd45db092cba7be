// What a model thread knows: for every thread how far it has seen it, for every location the
// oldest value it may still read.
//
// Invariant: a view only grows. Slots 0..max_threads-1 are a vector clock (happens-before, for
// race checks); slot max_threads + L is an index into location L's modification order.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace model {

inline constexpr unsigned max_threads = 8;  // number 0 is the body of the model
inline constexpr unsigned max_locations = 504;
inline constexpr unsigned view_slots = max_threads + max_locations;

using Stamp = std::uint16_t;

// `slots` a multiple of 8 keeps this one vector loop without a tail.
inline void join(Stamp* to, const Stamp* from, unsigned slots) {
  for (unsigned i = 0; i < slots; ++i) to[i] = std::max(to[i], from[i]);
}

struct View {
  alignas(64) std::array<Stamp, view_slots> slot{};

  Stamp clock(unsigned thread) const { return slot[thread]; }
  Stamp& clock(unsigned thread) { return slot[thread]; }
  Stamp oldest(unsigned location) const { return slot[max_threads + location]; }
  void raise(unsigned location, Stamp stamp) {
    auto& at = slot[max_threads + location];
    at = std::max(at, stamp);
  }
};

}  // namespace model
