// What a connection has to send: exists from the first write until all of it has gone, so that an
// idle connection pays nothing for it.
//
// Invariant: `sending` belongs to the kernel while the connection's sending_ is set; `queued` is
// what was written meanwhile, and follows in one piece.
#pragma once

#include <coil/detail/connection.hpp>
#include <coil/detail/detached_operation.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/runnable.hpp>
#include <coil/detail/send_buffer.hpp>
#include <cstdint>

namespace coil::detail {

struct Sender : FrameAllocated {
  explicit Sender(Connection& owner) noexcept;

  [[nodiscard]] std::size_t unsent() const noexcept { return sending.size() + queued.size(); }

  static void on_flush(Runnable& runnable) noexcept;
  static void on_sent(Operation& op, std::int32_t result, CompletionFlags flags) noexcept;
  static void on_sent_end(Operation& op) noexcept;

  struct Send : DetachedOperation {
    explicit Send(Sender& s) noexcept : sender(s) {}
    Sender& sender;
    std::int32_t result = 0;
  } send{*this};
  struct Flush : Runnable {
    explicit Flush(Sender& s) noexcept : sender(s) {}
    Sender& sender;
  } flush{*this};
  Connection& connection;
  SendBuffer sending;
  SendBuffer queued;
};

}  // namespace coil::detail
