// Runs this very program again as a child process that does one thing, to see how it ends.
//
// A test program that uses it has a main() that looks at child_program() first.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <kit/time_scale.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kit {

// What this process is to do as a child, or nullptr if it is the test program itself.
[[nodiscard]] const char* child_program();

class ChildProcess {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  // Starts `program`; its standard output and error are collected. Throws std::system_error.
  explicit ChildProcess(const std::string& program, const Environment& environment = {});
  ~ChildProcess();  // kills it, if it still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void send(int signal) const;
  // Reads until its output contains `text`. False: it ended, or said nothing for the time.
  bool wait_for_output(const std::string& text,
                       std::chrono::seconds limit = scaled(std::chrono::seconds(20)));
  // Waits for its end. False: it still ran after that time, and was killed.
  bool wait(std::chrono::seconds limit = scaled(std::chrono::seconds(20)));

  // After wait(): the exit code, or -signal.
  [[nodiscard]] int result() const { return result_.value_or(-1'000); }
  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  // False: nothing came until the deadline, or nothing will.
  bool read_some(std::chrono::steady_clock::time_point deadline);

  pid_t pid_ = -1;
  int pipe_ = -1;
  bool end_of_output_ = false;
  std::string output_;
  std::optional<int> result_;
};

}  // namespace kit
