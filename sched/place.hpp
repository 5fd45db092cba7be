// Where loops run, and how far they are from each other.
//
// Plain values, no syscall and no thread: the simulation of other machines uses them too.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace coil::detail {

struct Processor {
  unsigned os_index = 0;  // as in sched_setaffinity
  unsigned core = 0;      // logical numbers that are equal where something is shared
  unsigned l3 = 0;
  unsigned node = 0;
};

// How far the NUMA nodes' memories are, as the firmware says; 10 is one's own by its convention.
class NodeDistances {
 public:
  // Nothing is known: every other node is equally far.
  NodeDistances() = default;
  // Row by row, by logical number; a number of values that is no square means nothing is known.
  explicit NodeDistances(std::vector<unsigned> values) : values_(std::move(values)) {
    while (nodes_ * nodes_ < values_.size()) ++nodes_;
    if (nodes_ * nodes_ != values_.size()) nodes_ = 0;
  }

  [[nodiscard]] unsigned between(unsigned from, unsigned to) const noexcept {
    return from < nodes_ && to < nodes_ ? values_[from * nodes_ + to] : 0;
  }

 private:
  std::vector<unsigned> values_;
  std::size_t nodes_ = 0;
};

// A number that is smaller for what is nearer: 0 same L3, 1 same NUMA node, else 2 and how far
// the other node is.
[[nodiscard]] inline unsigned distance(const Processor& a, const Processor& b,
                                       const NodeDistances& nodes) noexcept {
  if (a.node != b.node) return 2 + nodes.between(a.node, b.node);
  return a.l3 == b.l3 ? 0 : 1;
}

// One processor for each loop, in the order given; with more loops than processors from the
// beginning again.
[[nodiscard]] inline std::vector<Processor> place_loops(const std::vector<Processor>& processors,
                                                        std::size_t loops) {
  std::vector<Processor> places;
  places.reserve(loops);
  for (std::size_t i = 0; i < loops; ++i) places.push_back(processors[i % processors.size()]);
  return places;
}

[[nodiscard]] inline bool on_several_nodes(const std::vector<Processor>& places) noexcept {
  return std::any_of(places.begin(), places.end(),
                     [&](const Processor& place) { return place.node != places.front().node; });
}

}  // namespace coil::detail
