// The stage that may crash: it takes compressed bytes apart again, in a process of its own.
#pragma once

#include <cstdint>
#include <span>

namespace pipeline {

struct Inspection {
  std::uint64_t bytes = 0;  // once decompressed
  std::uint64_t lines = 0;
  std::uint64_t hash = 0;
};

// Called in a worker process. Kills it if `crash`. Throws std::runtime_error if the bytes are not
// what zstd made.
Inspection inspect(std::span<const char> compressed, bool crash);

// FNV-1a, what Inspection::hash is.
std::uint64_t hash_of(std::span<const char> bytes);

}  // namespace pipeline
