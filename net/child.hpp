// A process that was started: its end, its signals, its pipes.
//
// A poll of its pidfd, on the loop that started it, sees its end; it is reaped there and then,
// whether anybody waits for it or not, so there are no zombies and SIGCHLD is left alone.
//
//   the loop that started it                 any thread
//   1. the poll ends: waitid()               a. send_signal(): lock; through the pidfd, if that is
//   2. lock; closes the pidfd                   still there: it never means another process
//   3. completes ended()
//
// Invariant: the poll in flight holds a reference, and so do the handles together. A loop that
// closes cancels the poll: what still runs then is killed, and reaped on the spot.
// Kept by tests/net/subprocess_end_test.cpp.
#pragma once

#include <sys/types.h>

#include <array>
#include <coil/detail/atomic.hpp>
#include <coil/detail/connection.hpp>
#include <coil/detail/counted.hpp>
#include <coil/detail/detached_operation.hpp>
#include <coil/detail/future_state.hpp>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace coil::detail {

class Child final : public Counted<Child>, DetachedOperation {
 public:
  // asyncio's, for a process that somebody else has reaped.
  static constexpr int unknown_status = 255;

  // No process yet. `what`: for messages.
  explicit Child(std::string what);
  ~Child();

  // Before anybody else knows the child, on a loop: this program's end of a pipe, then the process.
  void set_pipe(int number, ConnectionHandle pipe) noexcept;
  // Takes the process over; throws std::system_error if it cannot be watched: it is gone then.
  void adopt(pid_t pid);

  void add_handle() noexcept { handles_.fetch_add(1, std::memory_order_relaxed); }
  void drop_handle() noexcept;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  // An int: exit code or -signal.
  [[nodiscard]] FutureRef ended() const noexcept { return FutureRef(ended_.get()); }
  [[nodiscard]] std::optional<int> returncode() const noexcept;
  void send_signal(int signal);
  [[nodiscard]] int try_signal(int signal) noexcept;  // 0, or an errno
  // Throws std::runtime_error if it is none.
  [[nodiscard]] const ConnectionHandle& pipe(int number) const;
  [[nodiscard]] bool has_pipe(int number) const noexcept {
    return pipes_[static_cast<std::size_t>(number)].has_value();
  }

 private:
  [[nodiscard]] bool runs() noexcept;
  // Nothing: it still runs.
  enum class Patience : bool { None, UntilItEnds };
  [[nodiscard]] std::optional<int> reap(Patience patience) noexcept;
  void watch() noexcept;
  void end(int status) noexcept;
  void report_unfinished() noexcept;
  static void on_polled(Operation& op, std::int32_t result, CompletionFlags flags) noexcept;
  static void on_poll_end(Operation& op) noexcept;

  const std::string what_;
  const Ref<FutureState<int>> ended_;
  Atomic<std::uint32_t> handles_{1};
  std::int32_t result_ = 0;  // the loop's own
  pid_t pid_ = -1;
  // The handles'.
  std::array<std::optional<ConnectionHandle>, 3> pipes_;
  std::mutex mutex_;  // over closing it, and signalling through it
  int pidfd_ = -1;
};

}  // namespace coil::detail
