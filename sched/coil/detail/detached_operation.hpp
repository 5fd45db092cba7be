// An operation that no task awaits: a connection's multishot receive, the flush of what it wrote.
//
// Invariant: from submit_detached() until its finish calls end_detached() it is on its loop's
// list. A loop that closes cancels what is on the list and waits until it is empty; so whoever
// submits one never resubmits after an -ECANCELED that it has not asked for.
#pragma once

#include <coil/detail/operation.hpp>
#include <cstddef>
#include <cstdint>
#include <span>

namespace coil::detail {

struct DetachedOperation : Operation {
  // The owning loop's.
  DetachedOperation* detached_previous = nullptr;
  DetachedOperation* detached_next = nullptr;
};

// Hands it to the loop of this thread.
void submit_detached(DetachedOperation& operation) noexcept;
// The first thing its finish does.
void end_detached(DetachedOperation& operation) noexcept;

// On the operation's own loop, for RecvMultishot: the memory of a provided buffer, and giving it
// back.
[[nodiscard]] std::span<std::byte> provided_buffer(const Operation& operation,
                                                   std::uint16_t id) noexcept;
void recycle_buffer(const Operation& operation, std::uint16_t id) noexcept;

}  // namespace coil::detail
