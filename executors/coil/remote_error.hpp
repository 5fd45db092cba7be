// RemoteError: an exception that a function has thrown in another process.
#pragma once

#include <sys/types.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace coil {

// what() is the text of the exception there; of its object nothing else crosses.
class RemoteError : public std::runtime_error {
 public:
  RemoteError(std::string type_name, const std::string& message, pid_t worker_pid)
      : std::runtime_error(message), type_name_(std::move(type_name)), worker_pid_(worker_pid) {}

  // As it is written in C++: "std::out_of_range".
  [[nodiscard]] const std::string& type_name() const noexcept { return type_name_; }
  // Of the process, which may have gone since.
  [[nodiscard]] pid_t worker_pid() const noexcept { return worker_pid_; }

 private:
  std::string type_name_;
  pid_t worker_pid_;
};

}  // namespace coil
