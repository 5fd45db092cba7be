// A listening TCP socket.
#pragma once

#include <cstdint>
#include <string>

namespace echo_bench {

struct Listener {
  int fd = -1;
  std::uint16_t port = 0;  // the one the kernel chose, if 0 was asked for
};

// Accepted sockets inherit TCP_NODELAY from it. Throws std::system_error, or
// std::invalid_argument for a host that is no numeric address.
Listener listen_on(const std::string& host, std::uint16_t port);

}  // namespace echo_bench
