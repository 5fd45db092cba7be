// From a host and a port to the addresses to try.
#pragma once

#include <coil/address.hpp>
#include <coil/coro.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace coil::detail {

// Stream addresses of `host` in the order in which to try them; never empty. A numeric address
// gives itself at once, a name is looked up on a thread of its own. Throws std::system_error if
// the name does not resolve.
[[nodiscard]] Coro<std::vector<Address>> resolve(std::string host, std::uint16_t port);

}  // namespace coil::detail
