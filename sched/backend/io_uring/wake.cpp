#include "wake.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <coil/detail/check.hpp>

#include "fill.hpp"
#include "newer.hpp"
#include "refusal.hpp"

namespace coil::detail::uring {

Bell::Bell() : eventfd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (eventfd_ < 0) refuse(errno, "eventfd for wake-ups");
}

Bell::~Bell() { ::close(eventfd_); }

// The counter is never read: each write wakes the poll anew, whatever the count, and a poll that
// is armed again finds it above zero and ends one park too early rather than one too late.
// At one write per nanosecond it is full after 584 years.
void Bell::ring_by_eventfd() const noexcept {
  const int saved = errno;  // we may be in a signal handler
  const std::uint64_t one = 1;
  ssize_t written = 0;
  do {
    written = ::write(eventfd_, &one, sizeof one);
  } while (written < 0 && errno == EINTR);
  COIL_CHECK(written == sizeof one, "a loop's eventfd can be written to");
  errno = saved;
}

bool Bell::ring_by_message(int ring) noexcept {
  io_uring_sqe sqe{};
  fill_message(sqe, ring, 0);
  sqe.flags = 0;  // no ring of ours that could get an answer: the result comes back here
  return io_uring_register(~0U, newer::register_send_msg_ring, &sqe, 1) >= 0;
}

}  // namespace coil::detail::uring
