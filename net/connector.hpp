// Connects to the first of several addresses that answers.
#pragma once

#include <coil/address.hpp>
#include <coil/coro.hpp>
#include <coil/socket.hpp>
#include <coil/time.hpp>
#include <vector>

namespace coil::detail {

// One after the other; with a delay the next attempt starts beside those under way when the last
// one has failed or the delay has passed (RFC 8305), and the first to connect wins. Throws
// std::system_error when all have failed.
[[nodiscard]] Coro<Socket> connect_to_any(std::vector<Address> addresses, TimeLimit delay);

}  // namespace coil::detail
