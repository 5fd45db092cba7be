// While it lives, this thread counts as none that drives a loop.
#pragma once

namespace coil::detail {

class Worker;

// For what a loop's thread does in another one's place: closing another Runner, calling under
// simulation what would run on a thread of its own.
class OffLoop {
 public:
  OffLoop() noexcept;
  ~OffLoop();
  OffLoop(const OffLoop&) = delete;
  OffLoop& operator=(const OffLoop&) = delete;

 private:
  Worker* before_;
};

}  // namespace coil::detail
