// Latencies in constant memory: 32 buckets for each power of two, so a quantile is at most 3 %
// too high, and never too low.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace demo {

class Histogram {
 public:
  void add(std::chrono::nanoseconds latency) noexcept {
    ++counts_[bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0)))];
    ++total_;
  }
  void merge(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
  }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

  // The least upper bound, on this grid, of the share `q` of all latencies.
  [[nodiscard]] std::chrono::nanoseconds quantile(double q) const noexcept {
    const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(total_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= rank && seen != 0) return std::chrono::nanoseconds(upper_bound_of(i));
    }
    return {};
  }

 private:
  static constexpr unsigned sub_bits = 5;
  static constexpr std::size_t sub_count = std::size_t{1} << sub_bits;
  static constexpr unsigned power_max = 40;  // 2^40 ns are 18 minutes

  static std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < sub_count) return value;
    const auto power = static_cast<unsigned>(std::bit_width(value)) - 1;
    if (power > power_max) return bucket_count - 1;
    return (power - sub_bits) * sub_count + (value >> (power - sub_bits));
  }
  static std::int64_t upper_bound_of(std::size_t bucket) noexcept {
    if (bucket < 2 * sub_count) return static_cast<std::int64_t>(bucket);
    const std::size_t shift = bucket / sub_count - 1;
    return static_cast<std::int64_t>(((bucket % sub_count + sub_count + 1) << shift) - 1);
  }

  static constexpr std::size_t bucket_count = (power_max - sub_bits + 2) * sub_count;
  std::array<std::uint64_t, bucket_count> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace demo
