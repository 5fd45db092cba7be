// One worker of a ProcessPoolExecutor as its pool sees it: a process, the socket to it, and the
// calls that were sent to it.
//
// Invariant: the process has been waited for when this goes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <coil/detail/executor_call.hpp>
#include <coil/detail/packer.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "descriptor.hpp"
#include "message_channel.hpp"
#include "worker_control.hpp"

namespace coil::detail {

// What of a call goes to a worker.
struct PackedCall {
  explicit PackedCall(RegionSource& source) : content(&source) {}
  Packer content;
  bool begun = false;  // it has left the line once: a cancel does not take it out any more
};

// Page of its own, mapped by the worker too.
class ControlPage {
 public:
  ControlPage();  // throws std::system_error
  ~ControlPage();
  ControlPage(const ControlPage&) = delete;
  ControlPage& operator=(const ControlPage&) = delete;
  WorkerControl* operator->() const noexcept { return control_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }

 private:
  Descriptor descriptor_;
  WorkerControl* control_ = nullptr;
};

struct SocketPair {
  SocketPair();  // throws std::system_error
  Descriptor here;
  Descriptor there;
};

// Of the program when the pool was made; `NAME=value`.
using Environment = std::vector<std::string>;

class WorkerProcess {
 public:
  using Clock = std::chrono::steady_clock;
  enum class State : std::uint8_t { Starting, Ready, Leaving, Dead };
  struct Sent {
    CallRef call;
    std::uint32_t sequence;
    std::uint32_t slot;
  };

  // Starts it, and sends what it is told first. On the thread that outlives it: its end is the
  // worker's. Throws std::system_error.
  WorkerProcess(const Environment& environment, const Packer& welcome)
      : WorkerProcess(environment, welcome, SocketPair()) {}
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int process() const noexcept { return process_.get(); }
  [[nodiscard]] MessageChannel& channel() noexcept { return channel_; }
  [[nodiscard]] WorkerControl& control() noexcept { return *control_.operator->(); }

  // All of them in one packet, or none: then the error.
  [[nodiscard]] int send(std::span<const CallRef> calls);
  // The one that was sent with this number; empty if there is none.
  [[nodiscard]] CallRef take(std::uint32_t sequence) noexcept;
  // The newest, if it has not begun; empty otherwise.
  [[nodiscard]] CallRef take_back() noexcept;

  void signal(int number) const noexcept;
  // Lets it end: it gets no more.
  void dismiss() noexcept;
  // False: it still runs.
  [[nodiscard]] bool reap() noexcept;
  [[nodiscard]] bool reaped() const noexcept { return reaped_; }
  // After reap(): "was killed by SIGKILL (signal 9)".
  [[nodiscard]] std::string how_it_ended() const;
  // It did not end because somebody wanted it to.
  [[nodiscard]] bool failed() const noexcept;

  // The pool's, under its lock.
  State state = State::Starting;
  std::vector<Sent> calls;  // oldest first
  Clock::time_point front_since{};
  std::size_t calls_made = 0;

 private:
  WorkerProcess(const Environment& environment, const Packer& welcome, SocketPair sockets);
  void spawn(const Environment& environment, int socket);

  MessageChannel channel_;
  ControlPage control_;
  Descriptor process_;  // pidfd
  pid_t pid_ = -1;
  bool reaped_ = false;
  int status_code_ = 0;  // as siginfo_t has them
  int status_ = 0;
  std::uint32_t next_sequence_ = 1;
  std::uint32_t slots_used_ = 0;  // bits
};

}  // namespace coil::detail
