#include <netinet/in.h>
#include <netinet/tcp.h>

#include <coil/open_connection.hpp>
#include <coil/timeout.hpp>
#include <string>

#include "connector.hpp"
#include "resolve.hpp"

namespace coil {
namespace {

using Streams = std::pair<StreamReader, StreamWriter>;

Coro<Streams> connect_streams(std::string host, std::uint16_t port, OpenConnectionOptions options) {
  auto addresses = co_await detail::resolve(std::move(host), port);
  const Socket socket =
      co_await detail::connect_to_any(std::move(addresses), options.happy_eyeballs_delay);
  socket.set_option(IPPROTO_TCP, TCP_NODELAY, 1);  // as asyncio: what is written goes out
  const Address peer = socket.remote_address();
  detail::ConnectionHandle connection(new detail::Connection(socket.detach(), peer, options.limit));
  co_return Streams(StreamReader(connection), StreamWriter(connection));
}

}  // namespace

Coro<Streams> open_connection(std::string_view host, std::uint16_t port,
                              OpenConnectionOptions options) {
  auto connect = connect_streams(std::string(host), port, options);
  if (!options.timeout.has_value()) return connect;
  return wait_for(std::move(connect), options.timeout);
}

}  // namespace coil
