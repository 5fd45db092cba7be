// open_connection (asyncio.open_connection): a TCP connection as a pair of streams.
#pragma once

#include <coil/coro.hpp>
#include <coil/stream.hpp>
#include <coil/time.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace coil {

struct OpenConnectionOptions {
  TimeLimit timeout = {};               // for all of it, name resolution included
  TimeLimit happy_eyeballs_delay = {};  // none: one address after the other; else RFC 8305:
                                        // the next one is tried beside it after this long
  std::size_t limit = detail::Connection::default_limit;  // of a line; see StreamReader
};

// Connects to a name or a numeric address (IPv4, IPv6). Tries all addresses of a name. Throws
// std::system_error (for several failed addresses, with all reasons in the text), TimeoutError,
// CancelledError; nothing stays open then.
[[nodiscard]] Coro<std::pair<StreamReader, StreamWriter>> open_connection(
    std::string_view host, std::uint16_t port, OpenConnectionOptions options = {});

}  // namespace coil
