// A descriptor and the operations that are in flight on it, on whichever loops those live.
//
//   a task that starts an operation     the loop that holds it      close(), any thread
//   1. enter(): lock; closed: refuse,   a. leave(): lock; unlink;   i.   lock; closing_ = true
//      else link                           the last one of a        ii.  cancels all that is linked
//   2. submits it (arms its phase)         closing socket gives          unlock
//   3. closing(): cancels it                the number back         iii. nothing linked: gives the
//                                                                        number back itself
//
// ii misses an operation that is linked and not armed yet, and then i came before 3, which is
// under the same lock: 3 cancels it. What is linked has not left, so it is alive in ii.
// Invariant: the number goes back to the kernel once, when nothing is linked.
#pragma once

#include <coil/address.hpp>
#include <coil/detail/atomic.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstdint>

namespace coil::detail {

class SocketOperation;

class SocketState : public FrameAllocated {
 public:
  explicit SocketState(int fd) noexcept : fd_(fd) {}
  SocketState(const SocketState&) = delete;
  SocketState& operator=(const SocketState&) = delete;
  ~SocketState();

  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // False: the socket is closed. True: fd() stays valid until leave().
  [[nodiscard]] bool enter(SocketOperation& operation) noexcept;
  void leave(SocketOperation& operation) noexcept;
  [[nodiscard]] bool closing() noexcept;

  // Refuses and cancels everything; empty if the descriptor has gone already, else a future that
  // is done when it has. Idempotent.
  FutureRef close();

  // Closes the socket without giving the number back: it is the caller's.
  [[nodiscard]] int detach();

  [[nodiscard]] int fd() noexcept;
  [[nodiscard]] Address local_address() noexcept;
  // The other end; empty if there is none.
  [[nodiscard]] Address remote_address() noexcept;
  void set_remote_address(const Address& address) noexcept;
  // Drops what an unfinished connect has left, so that the next one starts afresh.
  void disconnect() noexcept;

 private:
  void give_back(int fd, const FutureRef& closed) noexcept;

  Atomic<std::uint32_t> references_{1};
  SpinLock lock_;  // all that follows
  bool closing_ = false;
  int fd_;
  Address remote_;
  SocketOperation* first_ = nullptr;
  FutureRef closed_;
};

using SocketRef = Ref<SocketState>;

}  // namespace coil::detail
