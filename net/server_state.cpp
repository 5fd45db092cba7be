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
#include <new>
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
      accepting_.emplace_back(loop->create_task(accept_loop(Share(*this), socket), {.name = name}));
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
    } catch (const std::bad_alloc&) {  // some may be free again later, as with descriptors
      failure.emplace(ENOMEM, std::generic_category(), "accept");
    }
    if (!failure || concerns_one_connection(failure->code().value())) continue;
    if (self->closing()) co_return;
    self->report_starvation(*failure);
    co_await sleep(pause);
    pause = std::min<Duration>(pause * 2, pause_max);
  }
}

void ServerState::begin(const Socket& socket) {
  const Address peer = remote_address_of(socket.fileno());  // empty if it has gone again already
  // Detached when there is memory for the connection, and not before.
  ConnectionHandle connection(new Connection(socket.detach(), peer, options_.limit));
  Served* served = enter(connection.get());
  if (served == nullptr) return connection->close();
  try {
    // As asyncio, calls the handler at once; what it returns runs as a task.
    Coro<> work = handler_(StreamReader(connection), StreamWriter(connection));
    const Task<> task = create_task(std::move(work));
    served->wait_for(*TaskRef(task).get());
  } catch (...) {
    served->finish(std::current_exception(), nullptr);
  }
}

// nullptr: the server is closing.
Served* ServerState::enter(Connection& connection) {
  auto* served = new Served(*this, connection);
  {
    const SpinGuard guard(lock_);
    if (!closing_) {
      ++connections_;
      connection.set_closed_hook(*served);
      served->next_in_server_ = served_;
      if (served_ != nullptr) served_->previous_in_server_ = served;
      served_ = served;
      return served;
    }
  }
  delete served;
  return nullptr;
}

bool ServerState::leave(Served& served) noexcept {
  const SpinGuard guard(lock_);
  if (--served.parts_left_ != 0) return false;
  Served* previous = served.previous_in_server_;
  Served* next = served.next_in_server_;
  (previous != nullptr ? previous->next_in_server_ : served_) = next;
  if (next != nullptr) next->previous_in_server_ = previous;
  return true;
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
    over = connections_ == 0;
  }
  for (const auto& socket : sockets) ::close(socket.detach());
  stopped_->finish_value();
  if (over) closed_->finish_value();
}

void ServerState::connection_ended() noexcept {
  {
    const SpinGuard guard(lock_);
    if (--connections_ != 0 || accept_loops_ != 0) return;
  }
  closed_->finish_value();
}

void ServerState::for_each_connection(void (Connection::*action)() noexcept) {
  std::vector<ConnectionRef> connections;
  {
    const SpinGuard guard(lock_);
    for (Served* served = served_; served != nullptr; served = served->next_in_server_)
      connections.push_back(served->connection_);
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

bool ServerState::begin_serving() noexcept {
  const SpinGuard guard(lock_);
  return !std::exchange(serving_, true);
}

void ServerState::end_serving() noexcept {
  const SpinGuard guard(lock_);
  serving_ = false;
}

bool ServerState::closing() noexcept {
  const SpinGuard guard(lock_);
  return closing_;
}

}  // namespace coil::detail
