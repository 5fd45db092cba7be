// What the command line says.
#pragma once

#include <cstddef>
#include <filesystem>
#include <variant>
#include <vector>

namespace demo {

enum class Stealing : unsigned char { Both, On, Off };

struct Options {
  double seconds = 10;  // of each phase
  int loops = 0;        // 0: one per processor
  int connections = 32;
  int bulk = 0;       // how many of them stream the whole corpus; 0: one per four loops
  int pause_ms = 10;  // of the others, between an answer and the next file
  std::size_t memory_mib = 256;
  std::vector<std::filesystem::path> roots;
  Stealing stealing = Stealing::Both;
};

// The options, or the exit code: --help was asked for (0), or they make no sense (2, and standard
// error says why).
[[nodiscard]] std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace demo
