// A closed-loop load: each connection sends a burst of `pipeline` messages in one go, waits until
// all have come back, and sends the next.
//
// Invariant: every byte that comes back is compared with the one that was sent; the first wrong
// one, a lost connection or five seconds without any answer end the run with an exception.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "histogram.hpp"
#include "pattern.hpp"
#include "server_usage.hpp"

namespace echo_bench {

struct LoadOptions {
  std::string host;
  std::uint16_t port = 0;
  unsigned connections = 1;
  unsigned pipeline = 1;
  unsigned size = 64;
  double seconds = 5;
  double warmup = 1;
  pid_t server_pid = 0;  // 0: measure no server
};

struct LoadResult {
  double seconds = 0;
  Histogram latency;   // of every message that came back in the window
  ServerUsage server;  // the difference over the window
  double load_cpu_seconds = 0;
  unsigned starved = 0;  // connections without a single answer in the window
};

class Load {
 public:
  explicit Load(const LoadOptions& options);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void connect();
  LoadResult run();
  // One message each way on every connection, so that all of them have lived.
  void touch_all();

 private:
  struct Connection {
    int fd = -1;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t wanted = 0;  // the end of the burst that is under way
    std::uint64_t burst_start_ns = 0;
    std::uint64_t answers = 0;  // in the window
  };

  void start_burst(std::size_t i, std::uint64_t now);
  void send_burst(std::size_t i);
  void receive(std::size_t i);
  void check(std::size_t i, const char* data, std::size_t n) const;
  void run_until(std::uint64_t end_ns);
  void turn(int timeout_ms);
  [[noreturn]] void fail(std::size_t i, int error, const char* what) const;

  LoadOptions options_;
  std::size_t burst_bytes_;
  Pattern pattern_;
  std::vector<char> incoming_;
  std::vector<Connection> connections_;
  Histogram latency_;
  std::uint64_t messages_ = 0;  // since the load began
  std::uint64_t last_answer_ns_ = 0;
  bool bursting_ = true;  // whether a finished burst is followed by the next
  int epoll_ = -1;
};

}  // namespace echo_bench
