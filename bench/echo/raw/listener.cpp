// See listener.hpp.
#include "listener.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace echo_bench {

Listener listen_on(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found)) {
    throw std::invalid_argument("host \"" + host + "\": " + gai_strerror(error));
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  Listener listener;
  listener.fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (listener.fd < 0 || setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      setsockopt(listener.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      bind(listener.fd, found->ai_addr, found->ai_addrlen) != 0 || listen(listener.fd, 4096) != 0 ||
      getsockname(listener.fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
    int error = errno;
    if (listener.fd >= 0) close(listener.fd);
    throw std::system_error(error, std::generic_category(),
                            "listening on " + host + " port " + std::to_string(port));
  }
  listener.port =
      ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                        : reinterpret_cast<sockaddr_in&>(bound).sin_port);
  return listener;
}

}  // namespace echo_bench
