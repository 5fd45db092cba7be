// See server.hpp. Life of a request: its bytes complete a receive, go onto the connection's chain
// of unsent buffers, and leave in one send when the turn's completions have all been looked at; the
// send's completion gives the buffers back.
#include "server.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <system_error>

namespace echo_bench {
namespace {

constexpr unsigned kSubmissions = 2048;
constexpr unsigned kCompletions = 16384;
constexpr unsigned kBuffers = 2048;
constexpr unsigned kBufferSize = 2048;
constexpr unsigned kCompletionBatch = 256;
// A peer that sends and does not read may hold this many buffers before it is not read any more.
constexpr unsigned kUnsentMax = 64;
constexpr std::uint64_t kKindMask = 7;

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

// The descriptor from which SIGINT and SIGTERM are read, instead of being delivered.
int open_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  int fd = signalfd(-1, &set, SFD_CLOEXEC);
  if (fd < 0) fail(errno, "signalfd");
  return fd;
}

}  // namespace

Server::Server(int listen_fd)
    : ring_(kSubmissions, kCompletions),
      pool_(ring_.get(), kBuffers, kBufferSize),
      listen_fd_(listen_fd),
      signal_fd_(open_signals()) {
  io_uring_sqe& sqe = ring_.entry();
  io_uring_prep_read(&sqe, signal_fd_, &signal_, sizeof signal_, 0);
  sqe.user_data = std::uint64_t(Kind::Signal);
  start_accept();
}

Server::~Server() {
  // A ring ends some time after its process; until then it would hold the port.
  shutdown(listen_fd_, SHUT_RDWR);
  for (Connection& connection : connections_) {
    if (connection.fd >= 0) close(connection.fd);
  }
  close(signal_fd_);
  close(listen_fd_);
}

void Server::run() {
  while (running_) {
    ring_.submit_and_wait();
    io_uring_cqe* batch[kCompletionBatch];
    while (unsigned n = io_uring_peek_batch_cqe(&ring_.get(), batch, kCompletionBatch)) {
      for (unsigned i = 0; i < n; ++i) dispatch(*batch[i]);
      io_uring_cq_advance(&ring_.get(), n);
    }
    end_turn();
  }
}

void Server::dispatch(const io_uring_cqe& cqe) {
  auto* connection = reinterpret_cast<Connection*>(cqe.user_data & ~kKindMask);
  switch (Kind(cqe.user_data & kKindMask)) {
    case Kind::Receive:
      return on_receive(*connection, cqe);
    case Kind::Send:
      return on_send(*connection, cqe.res);
    case Kind::Accept:
      return on_accept(cqe);
    case Kind::AcceptRetry:
      return start_accept();
    case Kind::Signal:
      running_ = false;
      return;
    case Kind::Ignored:
      return;
  }
}

void Server::on_accept(const io_uring_cqe& cqe) {
  if (cqe.res >= 0) {
    if (free_.empty()) free_.push_back(&connections_.emplace_back());
    Connection& connection = *free_.back();
    free_.pop_back();
    connection.fd = cqe.res;
    start_receive(connection);
  }
  if (cqe.flags & IORING_CQE_F_MORE) return;
  switch (-cqe.res) {
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
      fail(-cqe.res, "multishot accept (needs Linux 5.19)");
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return start_accept_later();  // at once, it would spin
    default:
      return start_accept();
  }
}

void Server::on_receive(Connection& connection, const io_uring_cqe& cqe) {
  if (!(cqe.flags & IORING_CQE_F_MORE)) {
    connection.receiving = false;
    connection.cancelling = false;
  }
  if (cqe.flags & IORING_CQE_F_BUFFER) {
    auto id = std::uint16_t(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
    pool_.taken();
    if (cqe.res > 0 && !connection.broken) {
      connection.unsent.push(pool_, id, std::uint32_t(cqe.res));
    } else {
      pool_.give_back(id);
    }
  }
  if (cqe.res > 0) {
    // Echoed when the turn ends.
  } else if (cqe.res == 0) {
    connection.finished = true;
  } else if (cqe.res == -EINVAL) {
    fail(EINVAL, "multishot receive (needs Linux 6.0)");
  } else if (cqe.res == -ENOBUFS) {
    if (!connection.starving) starving_.push_back(&connection);
    connection.starving = true;
  } else if (cqe.res != -ECANCELED && cqe.res != -EINTR && cqe.res != -EAGAIN) {
    connection.broken = true;  // a reset, or worse
  }
  mark_dirty(connection);
}

void Server::on_send(Connection& connection, int result) {
  connection.sending = false;
  if (result >= 0) {
    connection.unsent.consume(pool_, std::uint32_t(result));  // may be a part: the rest follows
  } else if (result != -EINTR && result != -EAGAIN) {
    connection.broken = true;
    shutdown(connection.fd, SHUT_RDWR);  // so that its receive ends too
  }
  // Nothing left to do is the common case, and then the end of the turn need not look.
  if (!connection.unsent.empty() || !connection.receiving || connection.broken) {
    mark_dirty(connection);
  }
}

void Server::start_accept() {
  io_uring_sqe& sqe = ring_.entry();
  io_uring_prep_multishot_accept(&sqe, listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
  sqe.user_data = std::uint64_t(Kind::Accept);
}

void Server::start_accept_later() {
  accept_pause_ = {0, 50'000'000};
  io_uring_sqe& sqe = ring_.entry();
  io_uring_prep_timeout(&sqe, &accept_pause_, 0, 0);
  sqe.user_data = std::uint64_t(Kind::AcceptRetry);
}

void Server::start_receive(Connection& connection) {
  io_uring_sqe& sqe = ring_.entry();
  io_uring_prep_recv_multishot(&sqe, connection.fd, nullptr, 0, 0);
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = BufferPool::kGroup;
  sqe.user_data = reinterpret_cast<std::uint64_t>(&connection) | std::uint64_t(Kind::Receive);
  connection.receiving = true;
}

void Server::stop_receive(Connection& connection) {
  io_uring_sqe& sqe = ring_.entry();
  io_uring_prep_cancel64(
      &sqe, reinterpret_cast<std::uint64_t>(&connection) | std::uint64_t(Kind::Receive), 0);
  sqe.user_data = std::uint64_t(Kind::Ignored);
  connection.cancelling = true;
}

void Server::start_send(Connection& connection) {
  io_uring_sqe& sqe = ring_.entry();
  if (connection.unsent.size() == 1) {
    iovec piece;
    connection.unsent.gather(pool_, &piece, 1);
    io_uring_prep_send(&sqe, connection.fd, piece.iov_base, piece.iov_len, MSG_NOSIGNAL);
  } else {
    if (!connection.gather) connection.gather = std::make_unique<GatherSend>();
    GatherSend& gather = *connection.gather;
    gather.message.msg_iov = gather.pieces;
    gather.message.msg_iovlen = connection.unsent.gather(pool_, gather.pieces, kGatherMax);
    io_uring_prep_sendmsg(&sqe, connection.fd, &gather.message, MSG_NOSIGNAL);
  }
  sqe.user_data = reinterpret_cast<std::uint64_t>(&connection) | std::uint64_t(Kind::Send);
  connection.sending = true;
}

void Server::mark_dirty(Connection& connection) {
  if (connection.dirty) return;
  connection.dirty = true;
  dirty_.push_back(&connection);
}

void Server::end_turn() {
  for (Connection* connection : dirty_) {
    connection->dirty = false;
    settle(*connection);
  }
  dirty_.clear();
  pool_.publish();
  if (starving_.empty() || pool_.exhausted()) return;
  for (Connection* connection : starving_) {
    connection->starving = false;
    settle(*connection);
  }
  starving_.clear();
}

// Starts whatever the connection needs next, or closes it.
void Server::settle(Connection& connection) {
  if (!connection.sending && !connection.unsent.empty()) {
    if (connection.broken) {
      connection.unsent.clear(pool_);
    } else {
      start_send(connection);
    }
  }
  if (connection.finished || connection.broken) {
    if (!connection.receiving && !connection.sending && !connection.starving) {
      close_connection(connection);
    }
  } else if (connection.receiving) {
    if (connection.unsent.size() > kUnsentMax && !connection.cancelling) stop_receive(connection);
  } else if (!connection.starving && connection.unsent.size() <= kUnsentMax / 2) {
    start_receive(connection);
  }
}

void Server::close_connection(Connection& connection) {
  close(connection.fd);
  connection = Connection{};
  free_.push_back(&connection);
}

}  // namespace echo_bench
