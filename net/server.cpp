#include <coil/detail/future_awaiter.hpp>
#include <coil/server.hpp>
#include <exception>
#include <stdexcept>

#include "listener.hpp"
#include "resolve.hpp"
#include "server_state.hpp"

namespace coil {

using detail::Connection;
using detail::FutureWait;
using detail::ServerState;
using StateRef = detail::Ref<ServerState>;

namespace {

// The one serve_forever of a server.
class Serving {
 public:
  explicit Serving(const StateRef& state) : state_(state) {
    if (state->closing()) throw std::runtime_error("serve_forever: the server is closed");
    if (!state->begin_serving())
      throw std::runtime_error("serve_forever: another task awaits it already");
  }
  ~Serving() { state_->end_serving(); }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

 private:
  StateRef state_;
};

// Coroutines that outlive the Server they were called on.
Coro<> serve_until_closed(StateRef state) {
  const Serving serving(state);
  std::exception_ptr cancelled;
  try {
    co_await FutureWait(state->stopped(), detail::shielded_leaf);
  } catch (const CancelledError&) {
    cancelled = std::current_exception();
  }
  if (!cancelled) co_return;
  state->close();
  state->for_each_connection(&Connection::close);
  // Not for the handlers: one that does not look at its connection would keep Ctrl-C waiting.
  co_await FutureWait(state->stopped(), detail::joining_leaf);
  std::rethrow_exception(cancelled);
}

Coro<> close_and_wait(StateRef state) {
  state->close();
  co_await FutureWait(state->closed(), detail::shielded_leaf);
}

Coro<> wait_until_closed(StateRef state) {
  co_await FutureWait(state->closed(), detail::shielded_leaf);
}

}  // namespace

Server::Server() noexcept = default;
Server::Server(Server&& other) noexcept = default;
Server::Server(StateRef state) noexcept : state_(std::move(state)) {}

Server::~Server() {
  if (state_) state_->close();
}

Server& Server::operator=(Server&& other) noexcept {
  Server(std::move(other)).state_.swap(state_);
  return *this;
}

ServerState& Server::state() const {
  if (!state_) throw std::logic_error("the server was moved from");
  return *state_;
}

std::vector<Address> Server::sockets() const { return state().sockets(); }

std::uint16_t Server::port() const {
  const auto addresses = sockets();
  return addresses.empty() ? 0 : addresses.front().port();
}

bool Server::is_serving() const { return !state().closing(); }
void Server::close() const { state().close(); }
Coro<> Server::serve_forever() const { return serve_until_closed(StateRef(&state())); }
Coro<> Server::wait_closed() const { return wait_until_closed(StateRef(&state())); }
Coro<Server&> Server::aenter() {
  (void)state();
  co_return *this;
}
Coro<> Server::aexit(const std::exception_ptr&) const { return close_and_wait(StateRef(&state())); }
void Server::close_clients() const { state().for_each_connection(&Connection::close); }
void Server::abort_clients() const { state().for_each_connection(&Connection::abort); }

Coro<Server> detail::start_server(ServerHandler handler, std::string host, std::uint16_t port,
                                  ServerOptions options) {
  std::vector<Address> addresses;
  if (host.empty()) {
    addresses = {Address::any(AF_INET, port), Address::any(AF_INET6, port)};
  } else {
    addresses = co_await resolve(std::move(host), port);
  }
  const StateRef state(new ServerState(std::move(handler), listen_on(addresses, options), options),
                       AdoptRef{});
  state->start();
  co_return Server(state);
}

}  // namespace coil
