// The clients: each sends files over a connection of its own and checks every answer.
//
// Invariant: a client belongs to one loop (its task is pinned), so its statistics have one writer.
// Counters may be read from anywhere at any time, the histogram once the client has ended.
#pragma once

#include <atomic>
#include <chrono>
#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "corpus.hpp"
#include "histogram.hpp"
#include "problems.hpp"

namespace demo {

// How a client behaves. Bulk: all files, back to back, many in flight. Interactive: a small file,
// its answer, a pause, and so on.
struct ClientPlan {
  std::vector<std::size_t> files;  // of the corpus; sent in this order, over and over; not empty
  std::size_t first = 0;
  std::size_t files_in_flight_max = 1;
  std::size_t bytes_in_flight_max = 0;  // one file may always be in flight
  std::chrono::milliseconds pause{0};
  coil::TimePoint until;  // starts nothing new after that
};

class Client {
 public:
  Client(const Corpus& corpus, ClientPlan plan, Problems& problems)
      : corpus_(corpus), plan_(std::move(plan)), next_(plan_.first), problems_(problems) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Errors are noted, not thrown; they end this client.
  coil::Coro<> run(std::string host, std::uint16_t port);

  [[nodiscard]] std::uint64_t files() const noexcept { return files_.load(order); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.load(order); }
  [[nodiscard]] bool ended() const noexcept { return ended_.load(order); }
  [[nodiscard]] const Histogram& latencies() const noexcept { return latencies_; }

 private:
  static constexpr auto order = std::memory_order_relaxed;

  struct InFlight {
    std::size_t file = 0;
    coil::TimePoint sent;
  };

  coil::Coro<> exchange(coil::StreamReader& reader, coil::StreamWriter& writer);
  coil::Coro<> send_next(coil::StreamWriter& writer);
  coil::Coro<> receive_one(coil::StreamReader& reader);
  [[nodiscard]] InFlight take_request(std::uint64_t id);
  [[nodiscard]] bool may_send() const;

  const Corpus& corpus_;
  ClientPlan plan_;
  std::size_t next_;
  std::deque<InFlight> in_flight_;  // oldest first
  std::size_t bytes_in_flight_ = 0;
  std::atomic<std::uint64_t> files_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<bool> ended_{false};
  Histogram latencies_;
  Problems& problems_;
};

}  // namespace demo
