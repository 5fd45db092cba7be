// One ring: its shared memory, its two queues, and the only door into the kernel.
//
// Invariant: outside enter() the kernel neither reads submissions nor writes completions
// (DEFER_TASKRUN, and no polling thread), so both queues have private ends here, sq_tail_ and
// cq_head_, which enter() alone publishes. A completion stays readable until the next enter();
// whatever may call enter() copies it first.
#pragma once

#include <liburing.h>

#include <atomic>
#include <backend/backend.hpp>
#include <cerrno>
#include <coil/detail/check.hpp>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread_number.hpp>

namespace coil::detail::uring {

class Ring {
 public:
  // Any thread. Throws std::system_error (refusal.hpp).
  explicit Ring(BackendLimits limits);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  // Binds the ring to the calling thread, which owns it from here on.
  void enable();

  [[nodiscard]] int fd() const noexcept { return ring_.ring_fd; }
  [[nodiscard]] std::string describe() const;

  // A zeroed submission to fill in, or nullptr when the queue is full.
  [[nodiscard]] io_uring_sqe* slot() noexcept {
    if (queued() == sq_entries_) [[unlikely]]
      return nullptr;
    io_uring_sqe* sqe = &ring_.sq.sqes[sq_tail_++ & sq_mask_];
    std::memset(sqe, 0, sizeof *sqe);
    return sqe;
  }
  // Submissions that the kernel has not taken yet.
  [[nodiscard]] unsigned queued() const noexcept { return sq_tail_ - sq_head_; }

  // Where the completions that are there end; next() gives them out up to that point.
  [[nodiscard]] unsigned completions_end() const noexcept { return load(ring_.cq.ktail); }
  [[nodiscard]] bool has_completions() const noexcept { return completions_end() != cq_head_; }
  [[nodiscard]] const io_uring_cqe* next(unsigned end) noexcept {
    if (cq_head_ == end) return nullptr;
    return &ring_.cq.cqes[cq_head_++ & cq_mask_];
  }
  // The kernel holds completions that had no room, or work that ends in some.
  [[nodiscard]] bool overflowed() const noexcept {
    return (load(ring_.sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0;
  }
  [[nodiscard]] bool needs_enter() const noexcept {
    return queued() != 0 ||
           (load(ring_.sq.kflags) & (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN)) != 0;
  }

  // Each submits all that is queued, and says whether the kernel took all of it. Otherwise it is
  // short of memory (EAGAIN, EBUSY): what is left stays queued.
  [[gnu::always_inline]] bool submit() noexcept { return enter(0, 0); }
  // ... and makes the completions visible that are due.
  [[gnu::always_inline]] bool collect() noexcept { return enter(0, IORING_ENTER_GETEVENTS); }
  // ... and blocks until there is one; may return without one (signal, time over).
  bool wait(__kernel_timespec* limit) noexcept;
  // Blocks without submitting: for when the kernel takes nothing.
  void wait_only(__kernel_timespec* limit) noexcept;

  // io_uring_register() on this ring.
  int register_with(unsigned opcode, void* argument, unsigned count) noexcept {
    return io_uring_register(static_cast<unsigned>(ring_.ring_fd), opcode, argument, count);
  }

 private:
  static unsigned load(unsigned* shared) noexcept {
    return std::atomic_ref<unsigned>(*shared).load(std::memory_order_acquire);
  }
  static void store(unsigned* shared, unsigned value) noexcept {
    std::atomic_ref<unsigned>(*shared).store(value, std::memory_order_release);
  }

  int set_up(unsigned sq_entries, unsigned cq_entries);
  void probe();
  void register_descriptor() noexcept;
  void publish() noexcept {
    // Checked here, because to another thread the registered index may mean a ring of its own.
    COIL_CHECK(owner_ == this_thread_number(), "only the thread that owns a ring enters it");
    store(ring_.sq.ktail, sq_tail_);
    store(ring_.cq.khead, cq_head_);
  }
  [[gnu::always_inline]] bool left_kernel(int result) noexcept {
    if (result < 0) [[unlikely]]
      check_transient(-result);
    sq_head_ = load(ring_.sq.khead);
    return queued() == 0;
  }
  static void check_transient(int error) noexcept;
  // Inlined into the loop's turn: the kernel leaves the processor's stack of return addresses
  // cleared, so each function to return from afterwards costs a mispredicted jump (10 ns).
  [[gnu::always_inline]] bool enter(unsigned wait_for, unsigned flags, void* argument = nullptr,
                                    std::size_t argument_size = 0) noexcept {
    publish();
    return left_kernel(io_uring_enter2(static_cast<unsigned>(enter_fd_), queued(), wait_for,
                                       flags | enter_flags_, static_cast<sigset_t*>(argument),
                                       argument_size));
  }

  io_uring ring_{};
  unsigned sq_head_ = 0;
  unsigned sq_tail_ = 0;
  unsigned sq_entries_ = 0;
  unsigned sq_mask_ = 0;
  unsigned cq_head_ = 0;
  unsigned cq_mask_ = 0;
  unsigned enter_flags_ = 0;
  int enter_fd_ = -1;        // the descriptor, or its index among those this thread has registered
  std::uint64_t owner_ = 0;  // this_thread_number()
};

}  // namespace coil::detail::uring
