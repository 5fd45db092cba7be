// Whom an idle loop tries to steal from: same L3 first, then the same NUMA node, then the other
// nodes, the nearest first; within a ring of equal distance from a random start.
//
// Invariant: every other loop is named exactly once per round, whatever the topology.
// No thread or syscall in here: the simulation of other machines uses it too.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "place.hpp"

namespace coil::detail {

// xorshift64*: small, fast and good enough to pick victims.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed * 0x9E3779B97F4A7C15U | 1U) {}
  [[nodiscard]] std::uint64_t next() noexcept {
    state_ ^= state_ >> 12U;
    state_ ^= state_ << 25U;
    state_ ^= state_ >> 27U;
    return state_ * 0x2545F4914F6CDD1DU;
  }
  [[nodiscard]] std::size_t below(std::size_t n) noexcept {
    return static_cast<std::size_t>((static_cast<__uint128_t>(next()) * n) >> 64U);
  }

 private:
  std::uint64_t state_;
};

class StealOrder {
 public:
  // `places[i]` is where loop i runs; this is the order of loop `self`.
  StealOrder(const std::vector<Processor>& places, const NodeDistances& nodes, unsigned self) {
    std::map<unsigned, std::vector<unsigned>> by_distance;
    for (unsigned other = 0; other < places.size(); ++other)
      if (other != self) by_distance[distance(places[self], places[other], nodes)].push_back(other);
    rings_.reserve(by_distance.size());
    for (auto& [far, ring] : by_distance) rings_.push_back(std::move(ring));
  }

  // Calls visit(loop) until it gives true, for at most `most` loops of each ring; true if one did.
  template <class Visit>
  bool round(Random& random, std::size_t most, Visit&& visit) const {
    for (const auto& ring : rings_) {
      const std::size_t start = random.below(ring.size());
      for (std::size_t i = 0; i < std::min(most, ring.size()); ++i)
        if (visit(ring[(start + i) % ring.size()])) return true;
    }
    return false;
  }
  // For all of them.
  template <class Visit>
  bool round(Random& random, Visit&& visit) const {
    return round(random, std::numeric_limits<std::size_t>::max(), visit);
  }
  // The nearest loops first; none is empty.
  [[nodiscard]] const std::vector<std::vector<unsigned>>& rings() const noexcept { return rings_; }

 private:
  std::vector<std::vector<unsigned>> rings_;
};

}  // namespace coil::detail
