// The stage that computes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pipeline {

struct Packed {
  std::vector<char> bytes;
  std::uint64_t hash = 0;  // of what they were made of
};

// Throws std::runtime_error with zstd's own words.
Packed compress(const std::string& bytes, int level);

}  // namespace pipeline
