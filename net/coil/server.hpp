// start_server (asyncio.start_server) and Server.
#pragma once

#include <coil/address.hpp>
#include <coil/coro.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/unique_function.hpp>
#include <coil/stream.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coil {

struct ServerOptions {
  int backlog = 1024;       // connections that wait to be accepted
  bool reuse_port = false;  // SO_REUSEPORT: several processes may listen on the port
  std::size_t limit = detail::Connection::default_limit;  // of a line; see StreamReader
};

namespace detail {

class ServerState;
using ServerHandler = UniqueFunction<Coro<>(StreamReader, StreamWriter)>;

}  // namespace detail

// A move-only handle; dropping it closes the server, as close() does. Its members may be called
// from any task of the Runner.
class Server {
 public:
  Server() noexcept;
  Server(Server&& other) noexcept;
  Server& operator=(Server&& other) noexcept;
  ~Server();

  // The port that it listens on, which for port 0 the kernel has chosen; 0 once closed.
  [[nodiscard]] std::uint16_t port() const;
  // What it listens on; empty once closed.
  [[nodiscard]] std::vector<Address> sockets() const;
  [[nodiscard]] bool is_serving() const;

  // Until it is closed; cancelled, it closes the server and its connections first. One task at a
  // time (std::runtime_error), and not once the server is closed (the same).
  Coro<> serve_forever() const;
  // Accepts nothing any more; returns at once, wait_closed() tells when the port is free.
  // Connections that are open go on. Idempotent.
  void close() const;
  // Until it was closed, the handlers of all connections have ended, and every connection is
  // closed: what was written has been sent then. A client that does not read can keep it waiting;
  // close_clients() asks, abort_clients() ends that.
  Coro<> wait_closed() const;
  // Closes every connection that is open, as StreamWriter::close and abort do: also those whose
  // handler has ended and whose last bytes are on their way, or are in the hands of another task.
  void close_clients() const;
  void abort_clients() const;

  // `co_await with(co_await start_server(...), [](Server& server) -> Coro<> {...})`, Python's
  // `async with`: at the end close() and wait_closed().
  [[nodiscard]] Coro<Server&> aenter();
  Coro<> aexit(const std::exception_ptr& error) const;

  // For Coil's own use.
  explicit Server(detail::Ref<detail::ServerState> state) noexcept;

 private:
  [[nodiscard]] detail::ServerState& state() const;

  detail::Ref<detail::ServerState> state_;
};

namespace detail {

Coro<Server> start_server(ServerHandler handler, std::string host, std::uint16_t port,
                          ServerOptions options);

}  // namespace detail

// Listens, and runs handler(reader, writer) as a task of its own for each connection. Every loop
// of the Runner accepts; a connection's task starts on the loop that accepted it, and may move.
// So the handler, which is kept alive, is called from all loops at the same time. It is to give way
// now and then (checkpoint()): a connection may wait for a loop that is busy though others are not.
//
// Host: a numeric address, a name (all its addresses that this machine has), or "" for every
// interface, IPv4 and IPv6.
// Port 0: any free one, the same for all addresses. Throws std::system_error.
//
// A handler that throws takes nothing else down: the exception goes to the exception handler, and
// the connection is closed. Out of descriptors the server waits until some are free again.
template <class Handler>
  requires std::invocable<Handler&, StreamReader, StreamWriter>
[[nodiscard]] Coro<Server> start_server(Handler handler, std::string_view host, std::uint16_t port,
                                        ServerOptions options = {}) {
  return detail::start_server(detail::ServerHandler(std::move(handler)), std::string(host), port,
                              options);
}

}  // namespace coil
