// See load.hpp. Edge-triggered epoll: one wait serves many connections, and an answer costs one
// receive and one send.
#include "load.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace echo_bench {
namespace {

constexpr std::size_t kIncoming = 256 * 1024;
constexpr std::uint64_t kPatienceNs = 5'000'000'000;

std::uint64_t clock_ns(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return std::uint64_t(time.tv_sec) * 1'000'000'000 + std::uint64_t(time.tv_nsec);
}

std::uint64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

}  // namespace

Load::Load(const LoadOptions& options)
    : options_(options),
      burst_bytes_(std::size_t{options.pipeline} * options.size),
      pattern_(std::max(burst_bytes_, kIncoming)),
      incoming_(kIncoming),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

Load::~Load() {
  for (Connection& connection : connections_) close(connection.fd);
  close(epoll_);
}

void Load::connect() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  std::string port = std::to_string(options_.port);
  if (int error = getaddrinfo(options_.host.c_str(), port.c_str(), &hints, &found)) {
    throw std::invalid_argument("host \"" + options_.host + "\": " + gai_strerror(error));
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  connections_.reserve(options_.connections);
  while (connections_.size() < options_.connections) {
    std::size_t i = connections_.size();
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail(i, errno, "socket");
    connections_.push_back({.fd = fd});
    if (::connect(fd, found->ai_addr, found->ai_addrlen) != 0) fail(i, errno, "connect");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = i;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail(i, errno, "epoll_ctl");
  }
}

LoadResult Load::run() {
  for (std::size_t i = 0; i < connections_.size(); ++i) start_burst(i, now_ns());
  run_until(now_ns() + std::uint64_t(options_.warmup * 1e9));

  latency_ = Histogram{};
  for (Connection& connection : connections_) connection.answers = 0;
  ServerUsage before, after;
  if (options_.server_pid != 0) before = ServerUsage::read(options_.server_pid);
  std::uint64_t cpu_begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  std::uint64_t begin = now_ns();
  run_until(begin + std::uint64_t(options_.seconds * 1e9));
  std::uint64_t end = now_ns();
  std::uint64_t cpu_end = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  if (options_.server_pid != 0) after = ServerUsage::read(options_.server_pid);

  LoadResult result;
  result.seconds = double(end - begin) / 1e9;
  result.latency = latency_;
  result.load_cpu_seconds = double(cpu_end - cpu_begin) / 1e9;
  result.server = {after.cpu_ns - before.cpu_ns, after.user_ticks - before.user_ticks,
                   after.kernel_ticks - before.kernel_ticks, after.sleeps - before.sleeps};
  if (latency_.total() == 0) throw std::runtime_error("no answer in the measured window");
  result.starved = unsigned(std::ranges::count(connections_, 0u, &Connection::answers));
  return result;
}

void Load::touch_all() {
  bursting_ = false;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    start_burst(i, now_ns());
    while (connections_[i].received < connections_[i].wanted) turn(100);
  }
}

void Load::run_until(std::uint64_t end_ns) {
  for (std::uint64_t now = now_ns(); now < end_ns; now = now_ns()) {
    turn(int(std::min<std::uint64_t>((end_ns - now) / 1'000'000 + 1, 1000)));
  }
}

// Waits for events and serves them.
void Load::turn(int timeout_ms) {
  epoll_event events[256];
  std::uint64_t messages = messages_;
  int n = epoll_wait(epoll_, events, 256, timeout_ms);
  if (n < 0 && errno != EINTR) {
    throw std::system_error(errno, std::generic_category(), "epoll_wait");
  }
  for (int k = 0; k < n; ++k) {
    if (events[k].events & ~EPOLLOUT) receive(events[k].data.u64);
    if (events[k].events & EPOLLOUT) send_burst(events[k].data.u64);
  }
  std::uint64_t now = now_ns();
  if (messages_ != messages || last_answer_ns_ == 0) last_answer_ns_ = now;
  if (now - last_answer_ns_ > kPatienceNs) throw std::runtime_error("no answer for 5 s");
}

void Load::start_burst(std::size_t i, std::uint64_t now) {
  Connection& connection = connections_[i];
  connection.wanted += burst_bytes_;
  connection.burst_start_ns = now;
  send_burst(i);
}

// Sends what the burst still lacks, as far as the socket takes it.
void Load::send_burst(std::size_t i) {
  Connection& connection = connections_[i];
  while (connection.sent < connection.wanted) {
    ssize_t n = send(connection.fd, pattern_.at(i, connection.sent),
                     connection.wanted - connection.sent, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR) continue;
      fail(i, errno, "send");
    }
    connection.sent += std::uint64_t(n);
  }
}

void Load::receive(std::size_t i) {
  Connection& connection = connections_[i];
  for (;;) {
    ssize_t n = recv(connection.fd, incoming_.data(), incoming_.size(), 0);
    if (n < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR) continue;
      fail(i, errno, "receive");
    }
    if (n == 0) fail(i, 0, "the server closed the connection");
    check(i, incoming_.data(), std::size_t(n));
    std::uint64_t done = connection.received / options_.size;
    connection.received += std::uint64_t(n);
    std::uint64_t answers = connection.received / options_.size - done;
    std::uint64_t now = now_ns();
    if (answers > 0) {
      latency_.record(now - connection.burst_start_ns, answers);
      connection.answers += answers;
      messages_ += answers;
    }
    if (connection.received == connection.wanted && bursting_) start_burst(i, now);
    // A part of the buffer is all there was; what comes later is a new edge.
    if (std::size_t(n) < incoming_.size()) return;
  }
}

void Load::check(std::size_t i, const char* data, std::size_t n) const {
  const Connection& connection = connections_[i];
  if (connection.received + n > connection.sent) fail(i, 0, "more came back than was sent");
  if (std::memcmp(data, pattern_.at(i, connection.received), n) != 0) {
    fail(i, 0, "other bytes came back than were sent");
  }
}

void Load::fail(std::size_t i, int error, const char* what) const {
  std::string text = "connection " + std::to_string(i);
  if (i < connections_.size()) {
    text += " (" + std::to_string(connections_[i].received) + " bytes back)";
  }
  text += std::string(": ") + what;
  if (error != 0) throw std::system_error(error, std::generic_category(), text);
  throw std::runtime_error(text);
}

}  // namespace echo_bench
