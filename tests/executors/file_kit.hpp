// What the tests of files share.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <coil/coro.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <kit/temporary_directory.hpp>
#include <string>
#include <system_error>

namespace kit {

// Not through Coil.
inline void put_file(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
}
inline std::string get_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string pattern(std::size_t size, std::uint32_t state = 1) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return text;
}

// The error number of the system_error that awaiting it throws; 0: none.
template <coil::Awaitable A>
coil::Coro<int> errno_of(A awaitable) {
  try {
    (void)co_await coil::detail::to_await(awaitable);
  } catch (const std::system_error& error) {
    co_return error.code().value();
  }
  co_return 0;
}

// How many descriptors this process has open.
inline int open_descriptors() {
  int count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

}  // namespace kit
