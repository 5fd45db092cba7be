// The bytes that a connection sends, and expects back.
//
// Invariant: byte p of connection c is always the same, and a byte that is lost, doubled, swapped
// or crossed over from another connection changes what comes after it. All connections read one
// table of pseudo-random bytes, each from a start of its own, so that nothing is generated or
// copied while the clock runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace echo_bench {

class Pattern {
 public:
  // `span` is the longest run of bytes that at() will be asked for.
  explicit Pattern(std::size_t span) : bytes_(kPeriod + span) {
    std::mt19937_64 random(20240229);
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      bytes_[i] = i < kPeriod ? char(random() >> 56) : bytes_[i - kPeriod];
    }
  }

  const char* at(std::size_t connection, std::uint64_t position) const {
    return bytes_.data() + (connection * kStride + position) % kPeriod;
  }

 private:
  // A prime: message sizes are seldom a multiple of it, so that messages differ. Fits into the
  // first-level cache.
  static constexpr std::size_t kPeriod = 16381;
  static constexpr std::size_t kStride = 7919;
  std::vector<char> bytes_;
};

}  // namespace echo_bench
