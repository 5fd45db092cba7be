#include <sys/socket.h>
#include <unistd.h>

#include <coil/detail/check.hpp>
#include <coil/detail/future_state.hpp>
#include <coil/detail/net_error.hpp>
#include <coil/detail/socket_operation.hpp>
#include <coil/detail/socket_state.hpp>
#include <stdexcept>
#include <utility>

namespace coil::detail {

SocketState::~SocketState() {
  COIL_CHECK(first_ == nullptr, "a socket goes only when nothing is in flight on it");
  if (fd_ >= 0) ::close(fd_);
}

bool SocketState::enter(SocketOperation& operation) noexcept {
  const SpinGuard guard(lock_);
  if (closing_) return false;
  operation.fd = fd_;
  operation.previous_in_socket_ = nullptr;
  operation.next_in_socket_ = first_;
  if (first_ != nullptr) first_->previous_in_socket_ = &operation;
  first_ = &operation;
  return true;
}

void SocketState::leave(SocketOperation& operation) noexcept {
  int last = -1;
  FutureRef closed;
  {
    const SpinGuard guard(lock_);
    SocketOperation* previous = operation.previous_in_socket_;
    SocketOperation* next = operation.next_in_socket_;
    (previous != nullptr ? previous->next_in_socket_ : first_) = next;
    if (next != nullptr) next->previous_in_socket_ = previous;
    if (!closing_ || first_ != nullptr) return;
    last = std::exchange(fd_, -1);
    closed.swap(closed_);
  }
  give_back(last, closed);
}

void SocketState::give_back(int fd, const FutureRef& closed) noexcept {
  // Linux frees the number whatever close() says, so there is nothing to try again.
  if (fd >= 0) ::close(fd);
  if (closed) closed->finish_value();
}

bool SocketState::closing() noexcept {
  const SpinGuard guard(lock_);
  return closing_;
}

FutureRef SocketState::close() {
  FutureRef done(new FutureState<void>, AdoptRef{});
  int idle_fd = -1;
  {
    const SpinGuard guard(lock_);
    closing_ = true;
    if (fd_ < 0) return {};
    if (first_ == nullptr) {
      idle_fd = std::exchange(fd_, -1);
    } else {
      // Waking another loop may take a system call, under the lock: once in a socket's life.
      for (SocketOperation* at = first_; at != nullptr; at = at->next_in_socket_)
        (void)cancel_operation(*at);
      if (!closed_) closed_ = done;
      done = closed_;
    }
  }
  if (idle_fd < 0) return done;
  give_back(idle_fd, {});
  return {};
}

int SocketState::detach() {
  const SpinGuard guard(lock_);
  if (first_ != nullptr) throw std::logic_error("Socket::detach: an operation is in flight on it");
  closing_ = true;
  return std::exchange(fd_, -1);
}

int SocketState::fd() noexcept {
  const SpinGuard guard(lock_);
  return closing_ ? -1 : fd_;
}

Address SocketState::local_address() noexcept {
  const SpinGuard guard(lock_);  // or the number could mean another socket by now
  return closing_ ? Address() : local_address_of(fd_);
}

Address SocketState::remote_address() noexcept {
  const SpinGuard guard(lock_);
  return remote_;
}

void SocketState::set_remote_address(const Address& address) noexcept {
  const SpinGuard guard(lock_);
  remote_ = address;
}

void SocketState::disconnect() noexcept {
  const SpinGuard guard(lock_);
  const sockaddr nowhere{AF_UNSPEC, {}};
  if (!closing_) ::connect(fd_, &nowhere, sizeof nowhere);
}

}  // namespace coil::detail
