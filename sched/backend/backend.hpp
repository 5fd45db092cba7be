// What a loop needs from the kernel, or from its simulation.
//
// One backend per loop; except where it says "any thread", only the loop's own thread may call.
// Invariant: every submitted operation gets exactly one last completion, whatever happens in
// between (full queues, overflow, cancel, close): drain() delivers what is left.
#pragma once

#include <coil/detail/operation.hpp>
#include <coil/time.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace coil::detail {

class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  // Called once from the thread that will own the backend, before anything else.
  virtual void attach() = 0;

  // Queues the operation; the kernel sees it at the next poll() or park() at the latest.
  // Never fails: an error becomes the operation's completion.
  virtual void submit(Operation& operation) = 0;
  // Asks for the operation to end early. Its completion still comes, -ECANCELED or a real result.
  virtual void cancel(Operation& operation) = 0;

  // Cheap, no syscall: poll() would have something to do (submissions queued or completions there).
  [[nodiscard]] virtual bool wants_poll() const noexcept = 0;
  // Submits what is queued and delivers the completions that are there; does not block.
  // Returns how many completions of operations it delivered.
  virtual std::size_t poll() = 0;
  // As poll(), but blocks until a completion, an unpark() or the deadline (never: none).
  virtual std::size_t park(TimePoint deadline) = 0;

  // Any thread: makes a park() under way, or the next one, return. Async-signal-safe.
  virtual void unpark() noexcept = 0;
  // As target.unpark(), on the thread that owns this backend; may be cheaper.
  virtual void unpark_other(Backend& target) noexcept { target.unpark(); }

  // Operations handed over and not yet completed. Any thread.
  [[nodiscard]] virtual std::size_t in_flight() const noexcept = 0;

  [[nodiscard]] virtual TimePoint now() const noexcept { return Clock::now(); }
  [[nodiscard]] virtual std::string describe() const = 0;

  // Provided buffers (RecvMultishot): memory of buffer `id`, and handing it back. Owner only.
  [[nodiscard]] virtual std::span<std::byte> provided_buffer(std::uint16_t id) noexcept = 0;
  virtual void recycle_buffer(std::uint16_t id) noexcept = 0;
};

struct BackendLimits {
  unsigned sq_entries = 0;  // 0: the default; tests use 4
  unsigned cq_entries = 0;  // 0: the default; tests use 8
};

// Throws std::system_error that names the reason (refused by seccomp or sysctl, limit, too old).
[[nodiscard]] std::unique_ptr<Backend> make_io_uring_backend(BackendLimits limits);

}  // namespace coil::detail
