// The files to send, in memory, each with the answer that the client expects.
//
// Invariant: immutable once loaded, so clients on every loop read it without locks. It holds at
// most the bytes it was allowed; what did not fit, or could not be read, is counted.
#pragma once

#include <coil/coil.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "digest.hpp"
#include "protocol.hpp"

namespace demo {

struct File {
  std::string path;
  std::string request;  // as it goes over the wire; the id is the file's index
  Digest expected;

  [[nodiscard]] std::size_t size() const noexcept { return request.size() - request_head_size; }
};

struct Corpus {
  std::vector<File> files;  // sorted by path
  std::uint64_t bytes = 0;
  std::size_t too_large = 0;   // skipped: for the protocol, or for the memory that is left
  std::size_t unreadable = 0;  // skipped
};

// Walks the roots, then reads and digests the files with a few tasks on every loop. Symbolic links
// are not followed. Cancellable within milliseconds; `loops` is only how many tasks to make.
[[nodiscard]] coil::Coro<Corpus> load_corpus(std::vector<std::filesystem::path> roots,
                                             std::size_t bytes_max, std::size_t loops);

}  // namespace demo
