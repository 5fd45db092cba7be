// What a Server handle, its accepting tasks and its connections share.
//
// Invariant: the listening descriptors go back to the kernel when the last accepting task has
// ended, so no accept is in flight on a number that means something else by then. closed_ is done
// when, besides, the last connection's handler has ended and its descriptor has been given back.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/connection.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/spin_lock.hpp>
#include <coil/loop.hpp>
#include <coil/server.hpp>
#include <coil/socket.hpp>
#include <coil/task_ref.hpp>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <vector>

#include "served.hpp"

namespace coil::detail {

class ServerState {
 public:
  ServerState(ServerHandler handler, std::vector<Socket> sockets, const ServerOptions& options);
  ServerState(const ServerState&) = delete;
  ServerState& operator=(const ServerState&) = delete;
  ~ServerState() = default;

  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // One accepting task per loop and socket.
  void start();
  void close() noexcept;
  // For serve_forever, of which there is one at a time. False: it runs already.
  [[nodiscard]] bool begin_serving() noexcept;
  void end_serving() noexcept;
  void for_each_connection(void (Connection::*action)() noexcept);
  // Done when nothing is accepted any more; when no handler runs and no connection is open either.
  [[nodiscard]] const FutureRef& stopped() const noexcept { return stopped_; }
  [[nodiscard]] const FutureRef& closed() const noexcept { return closed_; }
  [[nodiscard]] std::vector<Address> sockets();
  [[nodiscard]] bool closing() noexcept;

 private:
  friend class Served;

  // What an accepting task holds as an argument, because one that is cancelled before it starts
  // never runs: keeps the state alive, and says so when the task has ended.
  class Share {
   public:
    explicit Share(ServerState& server) noexcept : server_(&server) {}
    Share(Share&& other) noexcept = default;
    Share& operator=(Share&&) = delete;
    ~Share() {
      if (server_) server_->accept_loop_ended();
    }
    [[nodiscard]] ServerState* operator->() const noexcept { return server_.get(); }

   private:
    Ref<ServerState> server_;
  };

  static Coro<> accept_loop(Share self, std::size_t socket);
  void begin(const Socket& socket);
  [[nodiscard]] Served* enter(Connection& connection);
  // One of its two parts has ended. True: it was the last one, and the connection is unlinked.
  [[nodiscard]] bool leave(Served& served) noexcept;
  void report_starvation(const std::system_error& error) noexcept;
  void accept_loop_ended() noexcept;
  void connection_ended() noexcept;

  Atomic<std::uint32_t> references_{1};
  ServerHandler handler_;
  ServerOptions options_;
  std::vector<TaskRef> accepting_;  // written by start() alone
  FutureRef stopped_;
  FutureRef closed_;

  SpinLock lock_;  // all that follows
  bool closing_ = false;
  bool serving_ = false;
  std::vector<Socket> sockets_;
  std::size_t accept_loops_ = 0;
  std::size_t connections_ = 0;
  Served* served_ = nullptr;
  TimePoint starved_ = {};  // when descriptors were last short
};

}  // namespace coil::detail
