// What the tests of net share.
#pragma once

#include <dirent.h>
#include <gtest/gtest.h>

#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <cstdint>
#include <kit/loops.hpp>
#include <string>

namespace kit {

inline coil::Coro<> echo(coil::StreamReader reader, coil::StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) break;
    writer.write(data);
    co_await writer.drain();
  }
  writer.close();
  co_await writer.wait_closed();
}

inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& c : text) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return text;
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
