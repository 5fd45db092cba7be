// An io_uring with the best flags that this kernel takes.
//
// Invariant: a Ring that exists works. A kernel that refuses every set of flags gives a
// std::system_error with the reason, never a ring that is half set up.
#pragma once

#include <liburing.h>

namespace echo_bench {

class Ring {
 public:
  Ring(unsigned submissions, unsigned completions);
  ~Ring() { io_uring_queue_exit(&ring_); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  io_uring& get() { return ring_; }
  const char* mode() const { return mode_; }

  // A free submission entry; a full queue is handed to the kernel first.
  io_uring_sqe& entry();

  // Hands over what was prepared and waits for at least one completion.
  void submit_and_wait();

 private:
  io_uring ring_{};
  const char* mode_ = "";
};

}  // namespace echo_bench
