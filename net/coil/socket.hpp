// Socket: a TCP socket without buffers of its own: what is received goes straight into the
// caller's memory. Streams are more convenient: open_connection, start_server.
#pragma once

#include <sys/socket.h>

#include <coil/address.hpp>
#include <coil/coro.hpp>
#include <coil/detail/socket_operation.hpp>
#include <coroutine>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace coil {

// Move-only. connect, accept, recv and send give something to await once; each may be cancelled,
// and after CancelledError the memory is the caller's again. What was done before the cancel came
// is delivered, never lost. They may be used by several tasks on several loops at the same time.
//
// Errors are std::system_error with the operation and its operands in the text. An operation that
// is in flight when somebody closes the socket fails with ECANCELED, one that is started later
// with EBADF. A peer that has gone is an error (EPIPE, ECONNRESET), never a signal.
//
// One that is dropped without close() is closed as soon as the operations in flight on it have
// been cancelled, which nobody can wait for then; debug mode reports it.
class Socket {
 public:
  // An unconnected socket: AF_INET or AF_INET6.
  [[nodiscard]] static Socket tcp(int family = AF_INET);
  // Takes over a stream socket's descriptor, which must be in blocking mode, as is the default.
  [[nodiscard]] static Socket from_fd(int fd);

  Socket() noexcept = default;
  Socket(Socket&& other) noexcept = default;
  Socket& operator=(Socket&& other) noexcept {
    Socket(std::move(other)).socket_.swap(socket_);
    return *this;
  }
  ~Socket();

  void bind(const Address& address) const;
  void listen(int backlog = 128) const;
  // Cancels what is in flight on the socket, on any loop, waits for it, and only then gives the
  // descriptor's number back. Idempotent. Cannot be cancelled itself: it does not take long.
  Coro<> close() const;

  // Cancelled or failed, it leaves the socket unconnected, to be connected again.
  [[nodiscard]] detail::SocketConnect connect(const Address& address) const {
    return {socket_, address};
  }
  // Gives the next connection as a Socket. Throws whatever the kernel says, EMFILE too.
  [[nodiscard]] detail::SocketAccept accept() const { return detail::SocketAccept(socket_); }
  // How many bytes came, at least one; 0 at the end of the stream, and at once for an empty buffer.
  [[nodiscard]] detail::SocketRecv recv(std::span<std::byte> buffer) const {
    return {socket_, buffer};
  }
  // How many bytes were taken, which may be fewer than there are; at once 0 for none.
  [[nodiscard]] detail::SocketSend send(std::span<const std::byte> data) const {
    return {socket_, data};
  }
  [[nodiscard]] detail::SocketSend send(std::string_view text) const {
    return send(std::as_bytes(std::span(text)));
  }
  // All of it. If it fails or is cancelled, nobody knows how much has been sent.
  Coro<> send_all(std::span<const std::byte> data) const;
  Coro<> send_all(std::string_view text) const;

  // SHUT_RD, SHUT_WR or SHUT_RDWR, done when this returns; what it gives may be awaited or not.
  std::suspend_never shutdown(int how = SHUT_WR) const;  // NOLINT(modernize-use-nodiscard): void

  // std::system_error if the socket is closed or not connected.
  [[nodiscard]] Address local_address() const;
  [[nodiscard]] Address remote_address() const;
  void set_option(int level, int name, int value) const;
  // -1 once closed. Still owned by the socket.
  [[nodiscard]] int fileno() const noexcept;
  // Gives the descriptor away and leaves the socket closed. std::logic_error while something is in
  // flight on it.
  [[nodiscard]] int detach() const;
  [[nodiscard]] explicit operator bool() const noexcept { return fileno() >= 0; }

 private:
  explicit Socket(int fd);
  [[nodiscard]] int open_fd(const char* operation) const;

  detail::SocketRef socket_;
};

}  // namespace coil
