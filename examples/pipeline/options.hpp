// What the command line asks for.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace pipeline {

struct Options {
  std::vector<std::filesystem::path> roots;
  std::string database = ":memory:";
  std::size_t files_max = 2'000;
  std::size_t bytes_max = 16;  // of one file, MiB
  int in_flight = 64;
  int loops = 0;
  int workers = 2;
  int crash_percent = 5;
  int retries = 20;
  int level = 9;
};

// The options, or the exit code if there is nothing to run.
std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace pipeline
