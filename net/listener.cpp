#include "listener.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <coil/detail/net_error.hpp>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

namespace coil::detail {
namespace {

// How often another port is tried when the one the kernel chose for the first address is taken on
// another.
constexpr int port_attempts = 16;

Socket listen_on_one(const Address& address, const ServerOptions& options) {
  Socket socket = Socket::tcp(address.family());
  // Connections of an earlier server that still linger do not hold the port.
  socket.set_option(SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) socket.set_option(SOL_SOCKET, SO_REUSEPORT, 1);
  // "::" alone means IPv6 alone: IPv4 has a socket of its own.
  if (address.family() == AF_INET6) socket.set_option(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  // Accepted sockets inherit it: as in asyncio, what is written goes out.
  socket.set_option(IPPROTO_TCP, TCP_NODELAY, 1);
  socket.bind(address);
  socket.listen(options.backlog);
  return socket;
}

// The machine lacks the address or its whole family: a name may well have one (::1 in /etc/hosts
// where IPv6 is off), and the others serve.
bool not_of_this_machine(const std::system_error& error) {
  return error.code().value() == EAFNOSUPPORT || error.code().value() == EADDRNOTAVAIL;
}

// Closes what was opened, whichever way this is left. Nothing is in flight on these sockets.
class Listeners {
 public:
  ~Listeners() {
    for (const auto& socket : sockets_)
      if (socket) (void)close_now(socket);
  }
  void add(Socket socket) { sockets_.push_back(std::move(socket)); }
  [[nodiscard]] bool empty() const noexcept { return sockets_.empty(); }
  [[nodiscard]] std::uint16_t port() const { return sockets_.front().local_address().port(); }
  [[nodiscard]] std::vector<Socket> take() { return std::exchange(sockets_, {}); }

 private:
  static int close_now(const Socket& socket) { return ::close(socket.detach()); }
  std::vector<Socket> sockets_;
};

// Empty: the port that the kernel chose is taken on another address.
std::vector<Socket> try_listen(const std::vector<Address>& addresses,
                               const ServerOptions& options) {
  Listeners listeners;
  std::exception_ptr first_missing;
  for (Address address : addresses) {
    const bool chosen = address.port() == 0 && !listeners.empty();
    if (chosen) address.set_port(listeners.port());
    try {
      listeners.add(listen_on_one(address, options));
    } catch (const std::system_error& error) {
      if (chosen && error.code().value() == EADDRINUSE) return {};
      if (!not_of_this_machine(error)) throw;
      if (!first_missing) first_missing = std::current_exception();
    }
  }
  if (listeners.empty() && first_missing) std::rethrow_exception(first_missing);
  return listeners.take();
}

// In order: one that /etc/hosts lists twice would be in its own way.
std::vector<Address> each_once(const std::vector<Address>& addresses) {
  std::vector<Address> unique;
  for (const auto& address : addresses)
    if (std::find(unique.begin(), unique.end(), address) == unique.end()) unique.push_back(address);
  return unique;
}

}  // namespace

std::vector<Socket> listen_on(const std::vector<Address>& listed, const ServerOptions& options) {
  const auto addresses = each_once(listed);
  for (int attempt = 0; attempt < port_attempts; ++attempt) {
    auto sockets = try_listen(addresses, options);
    if (!sockets.empty()) return sockets;
  }
  throw_net_error(EADDRINUSE, "listen on " + addresses.front().to_string() + " and " +
                                  std::to_string(addresses.size() - 1) +
                                  " more addresses: no port is free on all of them");
}

}  // namespace coil::detail
