// Completions on their way out of the kernel, sleeping, and waking others.
//
// Invariant: park() blocks only when nobody has called unpark() since the last one, nothing is
// left to deliver, and the poll of our eventfd is in the kernel.
#include "backend.hpp"

#include <algorithm>
#include <chrono>
#include <coil/detail/check.hpp>
#include <new>

#include "refusal.hpp"

namespace coil::detail {

using uring::Tag;
using uring::WakeRoute;

namespace {

// Overflow is flushed one queue full at a time; a turn of the loop takes this many at most.
constexpr unsigned flushes_per_poll = 64;
// How long to sleep before asking a kernel again that was short of memory.
constexpr auto retry_pause = std::chrono::milliseconds(1);
// ERESTARTSYS and its like, which no system call shows to anybody; an open that was interrupted in
// a worker of the kernel's does.
constexpr std::int32_t kernel_errors = -512;
constexpr auto longest_wait = std::chrono::hours(24 * 365);

__kernel_timespec to_timespec(Duration d) noexcept {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(d);
  return {seconds.count(), std::chrono::nanoseconds(d - seconds).count()};
}

}  // namespace

IoUringBackend::IoUringBackend(BackendLimits limits, WakeRoute best_route)
    : ring_(limits), buffers_(ring_), route_(best_route) {
  static_assert(alignof(IoUringBackend) > uring::tag_mask);
}

IoUringBackend::~IoUringBackend() {
  COIL_CHECK(in_flight_.read() == 0, "a backend goes only when nothing is in flight");
}

inline std::size_t IoUringBackend::collect() noexcept {
  std::size_t delivered = 0;
  unsigned flushes = 0;
  do {
    if (ring_.needs_enter()) {
      buffers_.publish();
      ring_.collect();
    }
    delivered += reap();
  } while (ring_.overflowed() && ++flushes < flushes_per_poll);
  return delivered;
}

void IoUringBackend::attach() {
  ring_.enable();
  arm_wake_poll();
  try_routes();
  collect();
  if (!wake_poll_armed_) uring::refuse(-wake_poll_error_, "polling an eventfd");
}

// Rings at our own door. What does not work here would not work from elsewhere.
void IoUringBackend::try_routes() noexcept {
  if (route() == WakeRoute::DirectMessage) {
    if (uring::Bell::ring_by_message(ring_.fd())) return;
    set_route(WakeRoute::RingMessage);
  }
  if (route() != WakeRoute::RingMessage) return;
  if (io_uring_sqe* sqe = slot()) {  // a failure comes as a completion: message_failed()
    uring::fill_message(*sqe, ring_.fd(), uring::tagged(Tag::Message, this));
  } else {
    set_route(WakeRoute::EventFd);
  }
}

void IoUringBackend::arm_wake_poll() noexcept {
  io_uring_sqe* sqe = slot();
  if (sqe == nullptr) return;
  uring::fill_wake_poll(*sqe, bell_.eventfd());
  wake_poll_armed_ = true;
}

std::size_t IoUringBackend::prepare() noexcept {
  COIL_CHECK(!delivering_, "a completion does not poll its own loop");
  if (!wake_poll_armed_) [[unlikely]]
    arm_wake_poll();
  return waiting_head_ == nullptr ? 0 : serve_line();
}

std::size_t IoUringBackend::poll() {
  const std::size_t delivered = prepare();
  return delivered + collect();
}

std::size_t IoUringBackend::park(TimePoint deadline) {
  const std::size_t delivered = prepare();
  if (delivered != 0 || ring_.has_completions()) return delivered + collect();
  if (wake_.begin_park()) {
    block_until(deadline);
    wake_.end_park();
  }
  return collect();
}

// Returns when there is a completion, and a signal always makes one; or at the deadline.
void IoUringBackend::block_until(TimePoint deadline) noexcept {
  buffers_.publish();
  while (!ring_.has_completions()) {
    const TimePoint now = Clock::now();
    if (deadline <= now) return;
    const Duration left = std::min<Duration>(longest_wait, deadline - now);
    __kernel_timespec limit = to_timespec(left);
    const bool taken = ring_.wait(deadline == never ? nullptr : &limit);
    const bool short_of_memory = !taken || waiting_head_ != nullptr || !wake_poll_armed_;
    if (short_of_memory && !ring_.has_completions()) [[unlikely]] {
      limit = to_timespec(std::min<Duration>(left, retry_pause));
      ring_.wait_only(&limit);
      return;  // and the next poll() or park() submits again
    }
  }
}

std::size_t IoUringBackend::reap() noexcept {
  const unsigned end = ring_.completions_end();
  std::size_t delivered = 0;
  delivering_ = true;
  while (const io_uring_cqe* cqe = ring_.next(end)) {
    // Copied: the callee may submit, a full queue enters the kernel, and the slot is overwritten.
    const std::uint64_t data = cqe->user_data;
    const std::int32_t result = cqe->res;
    const std::uint32_t flags = cqe->flags;
    if ((data & uring::tag_mask) == static_cast<std::uint64_t>(Tag::Operation)) [[likely]] {
      operation_completed(*reinterpret_cast<Operation*>(data), result, flags);
      ++delivered;
    } else {
      housekeeping(data, result, flags);
    }
  }
  delivering_ = false;
  return delivered;
}

inline void IoUringBackend::operation_completed(Operation& op, std::int32_t result,
                                                std::uint32_t flags) noexcept {
  if (result == -ENOBUFS && op.code == OpCode::RecvMultishot) [[unlikely]]
    buffers_.grow();
  deliver(op, result,
          {.more = (flags & IORING_CQE_F_MORE) != 0,
           .has_buffer = (flags & IORING_CQE_F_BUFFER) != 0,
           .buffer_id = static_cast<std::uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT)});
}

// Completions that are no operation's.
void IoUringBackend::housekeeping(std::uint64_t data, std::int32_t result,
                                  std::uint32_t flags) noexcept {
  switch (static_cast<Tag>(data & uring::tag_mask)) {
    case Tag::WakePoll:
      // A poll that has ended, as when the queue was full, is armed again by prepare().
      if ((flags & IORING_CQE_F_MORE) == 0) wake_poll_armed_ = false;
      if (result < 0) wake_poll_error_ = result;
      return;
    case Tag::Message:
      message_failed(*reinterpret_cast<IoUringBackend*>(data & ~uring::tag_mask), result);
      return;
    case Tag::Note:
    case Tag::Cancel:
      return;
    case Tag::Operation:
      break;
  }
  fail_invariant("a completion is of something that was submitted", __FILE_NAME__, __LINE__);
}

void IoUringBackend::deliver(Operation& op, std::int32_t result, CompletionFlags flags) noexcept {
  if (result <= kernel_errors) [[unlikely]]
    result = -EINTR;
  if (!flags.more) {
    in_flight_.subtract();
    if (op.backend_data != 0) [[unlikely]] {
      if (stage(op) == Stage::CancelWaiting) withdraw_cancel(op);
      // What a kernel worker was already executing is cancelled by interrupting it.
      if (result == -EINTR) result = -ECANCELED;
    }
  }
  op.complete(op, result, flags);
}

void IoUringBackend::unpark() noexcept {
  if (!wake_.notify()) return;
  if (route() == WakeRoute::DirectMessage && uring::Bell::ring_by_message(ring_.fd())) return;
  bell_.ring_by_eventfd();
}

void IoUringBackend::unpark_other(Backend& target) noexcept {
  auto* other = dynamic_cast<IoUringBackend*>(&target);
  if (other == nullptr || route() != WakeRoute::RingMessage) {
    target.unpark();
    return;
  }
  if (!other->wake_.notify()) return;
  if (io_uring_sqe* sqe = slot()) {
    uring::fill_message(*sqe, other->ring_.fd(), uring::tagged(Tag::Message, other));
    buffers_.publish();
    // Not taken: it goes out some time later and wakes in vain.
    if (ring_.submit()) return;
  }
  other->bell_.ring_by_eventfd();
}

void IoUringBackend::message_failed(IoUringBackend& target, std::int32_t result) noexcept {
  if (result == -EINVAL || result == -EOPNOTSUPP) set_route(WakeRoute::EventFd);
  target.bell_.ring_by_eventfd();
}

std::string IoUringBackend::describe() const {
  constexpr const char* names[] = {"eventfd", "MSG_RING", "MSG_RING from any thread"};
  return ring_.describe() + ", woken by " + names[static_cast<std::size_t>(route())];
}

std::unique_ptr<Backend> make_io_uring_backend(BackendLimits limits) {
  try {
    return std::make_unique<IoUringBackend>(limits);
  } catch (const std::bad_alloc&) {
    uring::refuse(ENOMEM, "mapping its own memory");
  }
}

}  // namespace coil::detail
