// The echo server on bare liburing: multishot accept, multishot receive into provided buffers, the
// replies of a turn submitted together. One thread, no framework: the yardstick for the limit.
//
// Invariants:
//  - bytes leave in the order in which they arrived, straight from the buffer they arrived in;
//  - a connection has at most one receive and one send in the kernel, and its descriptor is closed
//    only when it has neither;
//  - a connection that waits holds no buffer.
#pragma once

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "buffer_pool.hpp"
#include "ring.hpp"

namespace echo_bench {

class Server {
 public:
  // Takes over listen_fd.
  explicit Server(int listen_fd);
  ~Server();

  // Serves until SIGINT or SIGTERM.
  void run();
  const char* ring_mode() const { return ring_.mode(); }

 private:
  static constexpr unsigned kGatherMax = 16;

  // A reply that lies in several buffers. Most connections never need one.
  struct GatherSend {
    msghdr message{};
    iovec pieces[kGatherMax];
  };

  struct Connection {
    int fd = -1;
    bool receiving = false;
    bool cancelling = false;  // its receive is being stopped: too much is unsent
    bool sending = false;
    bool starving = false;  // in starving_, waiting for a free buffer
    bool dirty = false;     // in dirty_, to be looked at before the turn ends
    bool finished = false;  // the peer sends no more
    bool broken = false;    // nothing can be sent any more
    Chain unsent;
    std::unique_ptr<GatherSend> gather;
  };

  // In the low bits of user_data; the rest is the connection.
  enum class Kind : std::uint64_t { Ignored, Accept, AcceptRetry, Signal, Receive, Send };

  void dispatch(const io_uring_cqe& cqe);
  void on_accept(const io_uring_cqe& cqe);
  void on_receive(Connection& connection, const io_uring_cqe& cqe);
  void on_send(Connection& connection, int result);

  void start_accept();
  void start_accept_later();
  void start_receive(Connection& connection);
  void start_send(Connection& connection);
  void stop_receive(Connection& connection);
  void mark_dirty(Connection& connection);
  void end_turn();
  void settle(Connection& connection);
  void close_connection(Connection& connection);

  Ring ring_;
  BufferPool pool_;
  int listen_fd_;
  int signal_fd_ = -1;
  signalfd_siginfo signal_{};
  __kernel_timespec accept_pause_{};
  bool running_ = true;
  std::deque<Connection> connections_;  // a deque: the kernel holds their addresses
  std::vector<Connection*> free_;
  std::vector<Connection*> dirty_;
  std::vector<Connection*> starving_;
};

}  // namespace echo_bench
