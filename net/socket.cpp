#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/net_error.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/exception_context.hpp>
#include <coil/socket.hpp>
#include <string>

namespace coil {

using detail::throw_net_error;

namespace {

const char* family_name(int family) { return family == AF_INET6 ? "IPv6" : "IPv4"; }

void report_unclosed(detail::SocketState& socket) noexcept {
  try {
    ExceptionContext context;
    context.message = "unclosed socket " + socket.local_address().to_string() + " to " +
                      socket.remote_address().to_string();
    detail::report(context);
  } catch (...) {  // out of memory: the report is lost, the socket is closed all the same
  }
}

// Coroutines that outlive the Socket they were called on.
Coro<> close_socket(detail::SocketRef socket) {
  if (!socket) co_return;
  const detail::FutureRef closed = socket->close();
  if (closed) co_await detail::FutureWait(closed, detail::joining_leaf);
}

Coro<> send_all_of(detail::SocketRef socket, std::span<const std::byte> data) {
  while (!data.empty()) data = data.subspan(co_await detail::SocketSend(socket, data));
}

}  // namespace

Socket::Socket(int fd) : socket_(new detail::SocketState(fd), detail::AdoptRef{}) {}

Socket Socket::tcp(int family) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) throw_net_error(errno, std::string("socket (TCP, ") + family_name(family) + ")");
  return from_fd(fd);
}

Socket Socket::from_fd(int fd) {
  try {
    Socket socket(fd);
    socket.socket_->set_remote_address(detail::remote_address_of(fd));
    return socket;
  } catch (...) {
    ::close(fd);
    throw;
  }
}

Socket::~Socket() {
  if (!socket_ || socket_->fd() < 0) return;
  if (detail::debug_mode()) [[unlikely]]
    report_unclosed(*socket_);
  (void)socket_->close();
}

Coro<> Socket::close() const { return close_socket(socket_); }

int Socket::open_fd(const char* operation) const {
  const int fd = fileno();
  if (fd < 0) throw_net_error(EBADF, operation);
  return fd;
}

int Socket::detach() const {
  (void)open_fd("detach");
  return socket_->detach();
}

int Socket::fileno() const noexcept { return socket_ ? socket_->fd() : -1; }

void Socket::bind(const Address& address) const {
  if (::bind(open_fd("bind"), address.data(), address.size()) != 0)
    throw_net_error(errno, "bind to " + address.to_string());
}

void Socket::listen(int backlog) const {
  if (::listen(open_fd("listen"), backlog) != 0)
    throw_net_error(errno, "listen on " + socket_->local_address().to_string());
}

Coro<> Socket::send_all(std::span<const std::byte> data) const {
  return send_all_of(socket_, data);
}

Coro<> Socket::send_all(std::string_view text) const {
  return send_all(std::as_bytes(std::span(text)));
}

std::suspend_never Socket::shutdown(int how) const {
  if (::shutdown(open_fd("shutdown"), how) != 0)
    throw_net_error(errno, "shutdown " + socket_->remote_address().to_string());
  return {};
}

Address Socket::local_address() const {
  (void)open_fd("local_address");
  const Address address = socket_->local_address();
  if (address.empty()) throw_net_error(EBADF, "local_address");
  return address;
}

Address Socket::remote_address() const {
  (void)open_fd("remote_address");
  const Address address = socket_->remote_address();
  if (address.empty()) throw_net_error(ENOTCONN, "remote_address");
  return address;
}

void Socket::set_option(int level, int name, int value) const {
  if (::setsockopt(open_fd("setsockopt"), level, name, &value, sizeof value) != 0)
    throw_net_error(errno, "setsockopt(" + std::to_string(level) + ", " + std::to_string(name) +
                               ", " + std::to_string(value) + ")");
}

}  // namespace coil
