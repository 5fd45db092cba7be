// What the tests of subprocesses share.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <coil/coil.hpp>
#include <cstdlib>
#include <fstream>
#include <string>

#include "net_kit.hpp"

namespace kit {

// "" if it has gone, which a process may do between two system calls.
inline std::string small_file(const std::string& path) {
  std::string text(1024, '\0');
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t n = fd < 0 ? -1 : ::read(fd, text.data(), text.size());
  if (fd >= 0) ::close(fd);
  text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return text;
}

// The children that this process has, as /proc tells.
struct Children {
  int all = 0;
  int zombies = 0;
};
inline Children children() {
  Children found;
  DIR* directory = ::opendir("/proc");
  while (const dirent* entry = ::readdir(directory)) {
    if (std::atoi(entry->d_name) == 0) continue;
    const std::string text = small_file(std::string("/proc/") + entry->d_name + "/stat");
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos || name_end + 4 >= text.size()) continue;
    if (std::atoi(text.c_str() + name_end + 4) != ::getpid()) continue;
    ++found.all;
    found.zombies += text[name_end + 2] == 'Z';
  }
  ::closedir(directory);
  return found;
}

// A test's body leaves neither processes nor descriptors behind.
template <class Body>
void on_loops_leaving_nothing(Body body) {
  for (const int loops : {1, 2, 4}) {
    SCOPED_TRACE(loops);
    const Watchdog watchdog;
    const int descriptors = open_descriptors();
    coil::run(body(), coil::RunOptions{.loops = loops});
    EXPECT_EQ(children().all, 0);
    EXPECT_EQ(open_descriptors(), descriptors);
  }
}

// What a shell command prints.
inline coil::Coro<std::string> output_of(std::string command,
                                         coil::SubprocessOptions options = {}) {
  options.stdout_ = coil::PIPE;
  const auto process = co_await coil::create_subprocess_shell(command, options);
  const auto output = co_await process.communicate();
  co_return output.out;
}

inline std::string status_line(const char* name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name)) return line + "\n";
  return "";
}

}  // namespace kit
