// Starting a program, without fork: the parent has threads.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coil::detail {

// A descriptor of ours.
class OwnedFd {
 public:
  OwnedFd() noexcept = default;
  explicit OwnedFd(int fd) noexcept : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// What the process has as descriptor 0, 1 or 2: that of this program that is given, or one of
// these.
inline constexpr int fd_inherited = -1;
inline constexpr int fd_dev_null = -2;
inline constexpr int fd_of_stdout = -3;

struct SpawnRequest {
  std::string what;  // "create_subprocess_exec of 'ls'", for messages
  std::string program;
  std::vector<std::string> arguments;  // the program's name first
  std::optional<std::vector<std::string>> environment;
  std::string cwd;
  std::array<int, 3> descriptors{fd_inherited, fd_inherited, fd_inherited};
};

// Throws std::invalid_argument: a text has a NUL in it, a variable no name.
void check(const SpawnRequest& request);
// Gives the number of a process that this thread's process has to reap. Throws std::system_error.
[[nodiscard]] pid_t spawn(const SpawnRequest& request);

}  // namespace coil::detail
