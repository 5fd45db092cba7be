#include "inspect.hpp"

#include <zstd.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

namespace pipeline {

std::uint64_t hash_of(std::span<const char> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  return hash;
}

Inspection inspect(std::span<const char> compressed, bool crash) {
  const auto size = ZSTD_getFrameContentSize(compressed.data(), compressed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
    throw std::runtime_error("inspect: these bytes are no zstd frame");
  std::vector<char> bytes(size);
  const auto written =
      ZSTD_decompress(bytes.data(), bytes.size(), compressed.data(), compressed.size());
  if (ZSTD_isError(written) != 0)
    throw std::runtime_error(std::string("inspect: ") + ZSTD_getErrorName(written));
  if (crash) std::raise(SIGSEGV);
  const auto lines = std::count(bytes.begin(), bytes.end(), '\n');
  return {written, static_cast<std::uint64_t>(lines), hash_of(bytes)};
}

}  // namespace pipeline
