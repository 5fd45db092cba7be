// The requests of pipeline: a block of 4 KiB goes to the server, its digest of 8 bytes comes back.
// Most take some microseconds of computing; every 16th asks for 64 times as much.
//
// size requests are shared among 64 connections, each of which waits for an answer before it asks
// again. Client and server are in one process and on the same threads.
//
// Invariant: every digest is compared with one that was computed beforehand.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "../kit/program.hpp"

namespace bench {

constexpr int pipeline_connections = 64;
constexpr std::size_t block_size = 4096;
constexpr std::size_t digest_size = 8;
constexpr std::uint64_t passes_small = 8;
constexpr std::uint64_t heavy_parts = 64;  // pieces of work of a heavy request, each as a small one
constexpr long heavy_every = 16;

// One piece: passes over the block. A chain of multiplications, which no compiler makes shorter.
inline std::uint64_t digest_part(const char* block, std::uint64_t part) {
  std::uint64_t hash = 0xcbf29ce484222325U + part;
  for (std::uint64_t pass = 0; pass < passes_small; ++pass)
    for (std::size_t at = 0; at < block_size; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, block + at, 8);
      hash = (hash ^ word) * 0x100000001b3U;
    }
  return hash;
}

// The first byte of a block says how many pieces it takes. Their digests are added up.
inline std::uint64_t parts_of(const char* block) { return block[0] == 'H' ? heavy_parts : 1; }

inline std::uint64_t digest(const char* block) {
  std::uint64_t sum = 0;
  for (std::uint64_t part = 0; part < parts_of(block); ++part) sum += digest_part(block, part);
  return sum;
}

inline std::string as_bytes(std::uint64_t value) {
  std::string bytes(digest_size, '\0');
  std::memcpy(bytes.data(), &value, digest_size);
  return bytes;
}

// A few different blocks of each kind, with their digests: the requests to draw from.
class Requests {
 public:
  struct Request {
    std::string block;
    std::uint64_t digest;
  };

  Requests() {
    for (int which = 0; which < 2 * kinds; ++which) {
      std::string block(block_size, '\0');
      for (std::size_t at = 0; at < block_size; ++at)
        block[at] = static_cast<char>('a' + (at * 31 + static_cast<std::size_t>(which)) % 23);
      block[0] = which < kinds ? 's' : 'H';
      const auto sum = bench::digest(block.data());
      requests_.push_back({std::move(block), sum});
    }
  }
  // The number-th of a connection. Connections have their heavy ones at different times.
  const Request& of(int connection, long number) const {
    const bool heavy = (number + connection) % heavy_every == 0;
    return requests_[static_cast<std::size_t>(number % kinds + (heavy ? kinds : 0))];
  }

 private:
  static constexpr int kinds = 4;
  std::vector<Request> requests_;
};

// How many of `size` requests a connection sends.
inline long requests_of(int connection, long size) {
  return size / pipeline_connections + (connection < size % pipeline_connections ? 1 : 0);
}

}  // namespace bench
