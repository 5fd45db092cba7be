// A histogram of durations with logarithmic buckets.
//
// Invariant: a percentile is never more than 1/128 (0.8 %) above the true value and never below it,
// for every duration from 1 ns to 2^40 ns (18 minutes); longer ones count as the longest.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace echo_bench {

class Histogram {
 public:
  void record(std::uint64_t ns, std::uint64_t times = 1) {
    counts_[index_of(std::min(ns, kLargest))] += times;
    total_ += times;
    largest_ = std::max(largest_, ns);
  }

  std::uint64_t total() const { return total_; }
  std::uint64_t largest() const { return largest_; }

  // The duration that `share` of the records do not exceed (0.99: the 99th percentile).
  std::uint64_t percentile(double share) const {
    auto wanted = std::max<std::uint64_t>(1, std::uint64_t(std::ceil(share * double(total_))));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= wanted) return std::min(last_of(i), largest_);
    }
    return largest_;
  }

 private:
  // Values below 2^kExact have a bucket each; above, each doubling is cut into 2^(kExact-1).
  static constexpr unsigned kExact = 8;
  static constexpr std::uint64_t kLargest = (std::uint64_t{1} << 40) - 1;

  static std::size_t index_of(std::uint64_t ns) {
    auto bits = unsigned(std::bit_width(ns));
    if (bits <= kExact) return ns;
    unsigned shift = bits - kExact;
    return (std::size_t{shift} << (kExact - 1)) + (ns >> shift);
  }

  // The largest value of bucket i.
  static std::uint64_t last_of(std::size_t i) {
    if (i < (1u << kExact)) return i;
    unsigned shift = unsigned(i >> (kExact - 1)) - 1;
    std::uint64_t mantissa = i - (std::size_t{shift} << (kExact - 1));
    return ((mantissa + 1) << shift) - 1;
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(index_of(kLargest) + 1);
  std::uint64_t total_ = 0;
  std::uint64_t largest_ = 0;
};

}  // namespace echo_bench
