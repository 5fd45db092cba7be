// What calls fail with whose executor cannot go on (concurrent.futures.BrokenExecutor).
#pragma once

#include <stdexcept>

namespace coil {

class BrokenExecutor : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An initializer has thrown (concurrent.futures.thread.BrokenThreadPool).
class BrokenThreadPool : public BrokenExecutor {
 public:
  using BrokenExecutor::BrokenExecutor;
};

// A worker process has died, or could not be started
// (concurrent.futures.process.BrokenProcessPool).
class BrokenProcessPool : public BrokenExecutor {
 public:
  using BrokenExecutor::BrokenExecutor;
};

}  // namespace coil
