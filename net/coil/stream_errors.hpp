// What reading a stream throws beside std::system_error (asyncio.IncompleteReadError,
// asyncio.LimitOverrunError).
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace coil {

// The stream ended before what was asked for was complete.
class IncompleteReadError : public std::runtime_error {
 public:
  // `expected`: how many bytes were asked for; 0 if that is not known (readuntil).
  IncompleteReadError(std::string partial, std::size_t expected);

  // What came before the end; it has been taken out of the stream.
  [[nodiscard]] const std::string& partial() const noexcept { return partial_; }
  [[nodiscard]] std::size_t expected() const noexcept { return expected_; }

 private:
  std::string partial_;
  std::size_t expected_;
};

// The separator did not come within the stream's limit.
class LimitOverrunError : public std::runtime_error {
 public:
  LimitOverrunError(const std::string& what, std::size_t consumed)
      : std::runtime_error(what), consumed_(consumed) {}

  // How many bytes are in the way: readexactly(consumed()) gets past them. readline has dropped
  // them already.
  [[nodiscard]] std::size_t consumed() const noexcept { return consumed_; }

 private:
  std::size_t consumed_;
};

}  // namespace coil
