// The listening sockets of a server.
#pragma once

#include <coil/address.hpp>
#include <coil/server.hpp>
#include <coil/socket.hpp>
#include <vector>

namespace coil::detail {

// One bound and listening socket per address, all on the same port. With `best_effort`, addresses
// of a family that this machine does not have are left out. Throws std::system_error.
[[nodiscard]] std::vector<Socket> listen_on(std::vector<Address> addresses, bool best_effort,
                                            const ServerOptions& options);

}  // namespace coil::detail
