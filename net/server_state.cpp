#include "server_state.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <coil/detail/future_state.hpp>
#include <coil/detail/loops.hpp>
#include <coil/detail/net_error.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/exception_context.hpp>
#include <coil/exceptions.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <string>
#include <utility>

namespace coil::detail {
namespace {

constexpr auto pause_min = std::chrono::milliseconds(5);
constexpr auto pause_max = std::chrono::seconds(1);
// A shortage that is over for this long is reported anew.
constexpr auto shortage_gap = std::chrono::seconds(10);

// Of one connection, not of the listening socket: the next one may be fine (accept(2), "Error
// handling").
bool concerns_one_connection(int error) {
  switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case EINTR:
    case EAGAIN:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

}  // namespace

ServerState::ServerState(ServerHandler handler, std::vector<Socket> sockets,
                         const ServerOptions& options)
    : handler_(std::move(handler)),
      options_(options),
      stopped_(new FutureState<void>, AdoptRef{}),
      closed_(new FutureState<void>, AdoptRef{}),
      sockets_(std::move(sockets)) {}

void ServerState::start() {
  const auto loops = running_loops("start_server");
  accept_loops_ = loops.size() * sockets_.size();
  for (std::size_t socket = 0; socket < sockets_.size(); ++socket) {
    const std::string name = "accept " + sockets_[socket].local_address().to_string();
    for (Loop* loop : loops)
      accepting_.emplace_back(loop->create_task(
          accept_loop(Share(*this, &ServerState::accept_loop_ended), socket), {.name = name}));
  }
}

// The loops share the listening socket. Each waits for one connection at a time: the kernel wakes
// them in turn, whereas the first of several multishot accepts would get them all.
Coro<> ServerState::accept_loop(Share self, std::size_t index) {
  const Socket& socket = self->sockets_[index];  // stays until the last of these loops has ended
  Duration pause = pause_min;
  while (!self->closing()) {
    std::optional<std::system_error> failure;
    try {
      self->begin(co_await socket.accept());
      pause = pause_min;
    } catch (const std::system_error& error) {
      failure.emplace(error);
    }
    if (!failure || concerns_one_connection(failure->code().value())) continue;
    if (self->closing()) co_return;
    self->report_starvation(*failure);
    co_await sleep(pause);
    pause = std::min<Duration>(pause * 2, pause_max);
  }
}

void ServerState::begin(const Socket& socket) {
  const int fd = socket.detach();
  const Address peer = remote_address_of(fd);  // empty if it has gone again already
  ConnectionHandle connection(new Connection(fd, peer, options_.limit));
  bool too_late = false;
  {
    const SpinGuard guard(lock_);
    too_late = closing_;
    if (!too_late) ++handlers_;
  }
  if (too_late) return connection->close();
  create_task(serve(Share(*this, &ServerState::handler_ended), std::move(connection)));
}

Coro<> ServerState::serve(Share self, ConnectionHandle connection) {
  const Member member(*self, connection.get());
  std::exception_ptr error;
  try {
    const StreamReader reader(connection);
    co_await self->handler_(reader, StreamWriter(std::move(connection)));
  } catch (...) {
    error = std::current_exception();
  }
  if (!error) co_return;
  member.connection().close();
  if (is_cancelled_error(error)) std::rethrow_exception(error);
  ExceptionContext context;
  context.message = "Unhandled exception in the handler of " +
                    member.connection().peername().to_string() + "'s connection";
  context.exception = std::move(error);
  context.task = current_task();
  report(context);
}

// asyncio pauses for a second each time; we begin shorter, since one connection that ends is
// enough to go on.
void ServerState::report_starvation(const std::system_error& error) noexcept {
  const TimePoint time = now();
  {
    const SpinGuard guard(lock_);
    const bool again = time - std::exchange(starved_, time) < shortage_gap;
    if (again) return;
  }
  try {
    ExceptionContext context;
    context.message =
        "accept failed, it is tried again until it works: " + std::string(error.what());
    context.exception = std::make_exception_ptr(error);
    context.task = current_task();
    report(context);
  } catch (...) {  // out of memory: the report is lost
  }
}

void ServerState::close() noexcept {
  {
    const SpinGuard guard(lock_);
    if (std::exchange(closing_, true)) return;
  }
  for (const auto& task : accepting_) task.cancel();
}

void ServerState::accept_loop_ended() noexcept {
  std::vector<Socket> sockets;
  bool over = false;
  {
    const SpinGuard guard(lock_);
    if (--accept_loops_ != 0) return;
    closing_ = true;
    sockets.swap(sockets_);
    over = handlers_ == 0;
  }
  for (const auto& socket : sockets) ::close(socket.detach());
  stopped_->finish_value();
  if (over) closed_->finish_value();
}

void ServerState::handler_ended() noexcept {
  {
    const SpinGuard guard(lock_);
    if (--handlers_ != 0 || accept_loops_ != 0) return;
  }
  closed_->finish_value();
}

ServerState::Share::Share(ServerState& server, Ended ended) noexcept
    : server_(&server), ended_(ended) {}

ServerState::Share::~Share() {
  if (server_) (server_.get()->*ended_)();
}

ServerState::Member::Member(ServerState& server, Connection& connection) noexcept
    : server_(server), connection_(&connection) {
  const SpinGuard guard(server_.lock_);
  next_ = server_.members_;
  if (next_ != nullptr) next_->previous_ = this;
  server_.members_ = this;
}

ServerState::Member::~Member() {
  const SpinGuard guard(server_.lock_);
  (previous_ != nullptr ? previous_->next_ : server_.members_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

void ServerState::for_each_connection(void (Connection::*action)() noexcept) {
  std::vector<ConnectionRef> connections;
  {
    const SpinGuard guard(lock_);
    for (Member* member = members_; member != nullptr; member = member->next_)
      connections.push_back(member->connection_);
  }
  for (const auto& connection : connections) (connection.get()->*action)();
}

std::vector<Address> ServerState::sockets() {
  std::vector<Address> addresses;
  const SpinGuard guard(lock_);
  if (closing_) return addresses;
  for (const auto& socket : sockets_) addresses.push_back(socket.local_address());
  return addresses;
}

bool ServerState::closing() noexcept {
  const SpinGuard guard(lock_);
  return closing_;
}

}  // namespace coil::detail
