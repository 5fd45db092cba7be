// The listening sockets of a server.
#pragma once

#include <coil/address.hpp>
#include <coil/server.hpp>
#include <coil/socket.hpp>
#include <vector>

namespace coil::detail {

// One bound and listening socket per address, all on the same port. Each address counts once, and
// one that this machine does not have is left out. Throws std::system_error, the first one if
// none is left.
[[nodiscard]] std::vector<Socket> listen_on(const std::vector<Address>& addresses,
                                            const ServerOptions& options);

}  // namespace coil::detail
