// Turns an operation into a submission.
//
// Invariant: user_data says whose completion it is: the address of an Operation or a backend,
// both 8-aligned, and a tag in the bits that leaves free.
#pragma once

#include <liburing.h>

#include <coil/detail/operation.hpp>
#include <cstdint>

namespace coil::detail::uring {

enum class Tag : std::uint64_t {
  Operation,  // the operation at this address
  WakePoll,   // the poll of our own eventfd
  Note,       // a message has come in, that was all
  Message,    // our message to the backend at this address failed
  Cancel,     // our request to cancel found nothing to cancel
};
inline constexpr std::uint64_t tag_mask = 7;
static_assert(alignof(Operation) > tag_mask);

[[nodiscard]] inline std::uint64_t tagged(Tag tag, const void* address = nullptr) noexcept {
  return reinterpret_cast<std::uint64_t>(address) | static_cast<std::uint64_t>(tag);
}

// All take a zeroed submission.
void fill_operation(io_uring_sqe& sqe, const Operation& operation,
                    std::uint16_t buffer_group) noexcept;
void fill_cancel(io_uring_sqe& sqe, const Operation& operation) noexcept;
void fill_wake_poll(io_uring_sqe& sqe, int eventfd) noexcept;
// `sender_data` comes back to the sender, and only if the message failed.
void fill_message(io_uring_sqe& sqe, int target_ring, std::uint64_t sender_data) noexcept;

}  // namespace coil::detail::uring
