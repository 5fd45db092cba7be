// Cancels at random points of recv, send, accept, connect, stream reads, sleep, future and gather.
// The number of cancels: 100,000, or COIL_STRESS=N, or an argument.
//
// What must hold: every victim ends, no byte and no connection is lost or doubled, memory that was
// given back is not written to any more, and in the end nothing is in flight and every descriptor
// is closed. Sanitizers watch; what only the kernel could do wrong is checked by scribbling.
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;
using coil::Socket;

enum Kind { Recv, Send, Accept, Connect, StreamRead, Sleep, Future, Gather, kinds };
constexpr const char* kind_names[] = {"recv",        "send",  "accept", "connect",
                                      "stream read", "sleep", "future", "gather"};

struct Outcomes {
  std::atomic<long> finished = 0;  // in spite of the cancel
  std::atomic<long> cancelled = 0;
};
std::array<Outcomes, kinds> outcomes;

// The byte at position `at` of every stream here.
char stream_byte(std::size_t at) { return static_cast<char>((at * 2654435761U) >> 13); }

// Drawn by a lane and by its victim at the same time.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed << 32) {}
  std::uint32_t operator()() {  // splitmix64
    std::uint64_t z = state_.fetch_add(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<std::uint32_t>(z >> 32);
  }

 private:
  std::atomic<std::uint64_t> state_;
};

// Memory that an operation has given back, scribbled over: nobody may write to it any more.
class Quarantine {
 public:
  void take(std::string memory) {
    std::ranges::fill(memory, scribble);
    held_.push_back(std::move(memory));
    if (held_.size() > 16) release();
  }
  void release() {
    for (const char c : held_.front()) ASSERT_EQ(c, scribble) << "written to after its release";
    held_.pop_front();
  }
  ~Quarantine() {
    while (!held_.empty()) release();
  }

 private:
  static constexpr char scribble = '\x5c';
  std::deque<std::string> held_;
};

// One task that makes victims of all kinds, one after the other, with sockets of its own.
class Lane {
 public:
  explicit Lane(unsigned seed) : random_(seed) {}

  Coro<> run(std::atomic<long>& left) {
    pair_.emplace(co_await kit::bare_pair());
    // Small, so that a send often has to wait; but several of the loopback's segments of 64 KiB,
    // or the peer waits for TCP's timers.
    pair_->near.set_option(SOL_SOCKET, SO_SNDBUF, 128 * 1024);
    pair_->far.set_option(SOL_SOCKET, SO_RCVBUF, 128 * 1024);
    stream_.emplace(co_await kit::half_bare());
    listener_ = Socket::tcp();
    listener_.bind(coil::Address("127.0.0.1", 0));
    listener_.listen(1024);
    while (left.fetch_sub(1) > 0) co_await attempt(static_cast<Kind>(random_() % kinds));
    // What is on its way arrives, all of it.
    while (sent_ != received_) co_await recv_some(pair_->far, received_);
    while (fed_ != read_) check_stream(co_await stream_->stream.reader.read(1000), read_);
    // Who was connected has been accepted; so has, perhaps, one whose connect was cancelled.
    while (accepted_ < connected_) note_accepted(co_await listener_.accept());
    co_await pair_->near.close();
    co_await pair_->far.close();
    co_await stream_->bare.close();
    stream_->stream.writer.close();
    co_await stream_->stream.writer.wait_closed();
    co_await listener_.close();
  }

 private:
  Coro<> attempt(Kind kind) {
    switch (kind) {
      case Recv:
        co_await cancel(kind, recv_victim());
        break;
      case Send:
        co_await cancel(kind, send_victim());
        break;
      case Accept:
        co_await cancel(kind, accept_victim());
        break;
      case Connect:
        co_await cancel(kind, connect_victim());
        break;
      case StreamRead:
        co_await feed();
        co_await cancel(kind, read_victim());
        break;
      case Sleep:
        co_await cancel(kind, [](int us) -> Coro<> {
          co_await coil::sleep(std::chrono::microseconds(us));
        }(static_cast<int>(random_() % 60)));
        break;
      case Future:
        co_await cancel_future();
        break;
      case Gather:
        co_await cancel(kind, gather_victim());
        break;
      case kinds:
        break;
    }
  }

  // Lets the victim run for a random while, cancels it, and awaits its end.
  Coro<> cancel(Kind kind, Coro<> victim) {
    auto task = coil::create_task(std::move(victim));
    co_await random_pause();
    task.cancel();
    try {
      co_await task;
      ++outcomes[kind].finished;
    } catch (const coil::CancelledError&) {
      ++outcomes[kind].cancelled;
    }
  }

  Coro<> random_pause() {
    const auto kind = random_() % 8;
    if (kind < 2) co_return;
    if (kind < 6) {
      for (auto n = random_() % 4; n-- > 0;) co_await coil::sleep(0ms);
    } else {
      co_await coil::sleep(std::chrono::microseconds(random_() % 80));
    }
  }

  // near -> far is a stream of known bytes: send victims write it, recv victims read it.
  Coro<> send_victim() {
    // Now and then more than the sockets take.
    std::string memory(1 + random_() % (random_() % 16 == 0 ? 800'000 : 3000), '\0');
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = stream_byte(sent_ + i);
    try {
      sent_ += co_await pair_->near.send(memory);
    } catch (const coil::CancelledError&) {
      quarantine_.take(std::move(memory));  // were it sent now, the stream would show it
      throw;
    }
  }

  Coro<> recv_some(const Socket& socket, std::size_t& position) {
    std::string memory(1 + random_() % 50'000, '\0');
    try {
      memory.resize(co_await socket.recv(std::as_writable_bytes(std::span(memory))));
    } catch (const coil::CancelledError&) {
      quarantine_.take(std::move(memory));
      throw;
    }
    check_stream(memory, position);
  }
  Coro<> recv_victim() { return recv_some(pair_->far, received_); }

  static void check_stream(const std::string& bytes, std::size_t& position) {
    for (const char c : bytes) {
      if (c != stream_byte(position)) ADD_FAILURE() << "byte " << position << " is wrong";
      ++position;
    }
  }

  Coro<> read_victim() {
    check_stream(co_await stream_->stream.reader.read(1 + random_() % 4000), read_);
  }
  // Something to read, half of the time.
  Coro<> feed() {
    if (random_() % 2 == 0 || fed_ - read_ > 20'000) co_return;
    std::string memory(1 + random_() % 3000, '\0');
    for (char& c : memory) c = stream_byte(fed_++);
    co_await stream_->bare.send_all(memory);
  }

  Coro<> accept_victim() { note_accepted(co_await listener_.accept()); }
  void note_accepted(Socket socket) {
    (void)::close(socket.detach());
    ++accepted_;
  }

  Coro<> connect_victim() {
    if (connected_ - accepted_ > 8) note_accepted(co_await listener_.accept());
    const auto socket = Socket::tcp();
    co_await socket.connect(listener_.local_address());
    ++connected_;
  }

  Coro<> cancel_future() {
    const auto future = coil::create_future<int>();
    auto completer = coil::create_task([future, pauses = random_() % 4]() -> Coro<> {
      for (auto n = pauses; n-- > 0;) co_await coil::sleep(0ms);
      future.try_set_result(7);
    });
    co_await cancel(Future, [](coil::Future<int> awaited) -> Coro<> {
      EXPECT_EQ(co_await awaited, 7);
    }(future));
    co_await completer;
  }

  Coro<> gather_victim() {
    const auto us = std::chrono::microseconds(random_() % 40);
    co_await coil::gather(coil::sleep(us), coil::sleep(0ms), coil::sleep(us / 2));
  }

  Random random_;
  Quarantine quarantine_;
  std::optional<kit::BarePair> pair_;
  std::optional<kit::HalfBare> stream_;
  Socket listener_;
  std::size_t sent_ = 0, received_ = 0;
  std::size_t fed_ = 0, read_ = 0;
  long connected_ = 0, accepted_ = 0;
};

Coro<> storm(long cancels) {
  constexpr unsigned lanes = 16;
  std::atomic<long> left = cancels;
  std::vector<std::unique_ptr<Lane>> state;
  std::vector<coil::Task<>> tasks;
  for (unsigned i = 0; i < lanes; ++i) {
    state.push_back(std::make_unique<Lane>(i + 1));
    tasks.push_back(coil::create_task(state.back()->run(left)));
  }
  for (auto& task : tasks) co_await task;
}

long resident_kilobytes() {
  ::malloc_trim(0);
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kilobytes = 0;
    if (word == "VmRSS:" && status >> kilobytes) return kilobytes;
  }
  return 0;
}

long cancels_asked_for() {
  if (const char* text = std::getenv("COIL_STRESS")) return std::atol(text);
  const long argument = std::atol(testing::internal::GetArgvs().back().c_str());
  return argument > 0 ? argument : 100'000;
}

TEST(CancelStorm, loses_nothing_and_leaves_nothing_behind) {
  const long cancels = cancels_asked_for();
  const kit::Watchdog watchdog(std::chrono::seconds(60 + cancels / 2000));
  const int descriptors = kit::open_descriptors();
  long grown = 0;
  for (const int loops : {1, 2, 4}) {
    coil::Runner runner({.loops = loops});
    runner.run(storm(cancels / 30));  // warms up what is kept for later
    const long resident = resident_kilobytes();
    runner.run(storm(cancels * 3 / 10));
    grown = std::max(grown, resident_kilobytes() - resident);
    EXPECT_EQ(runner.metrics().tasks, 0U);
    for (const auto& loop : runner.metrics().loops) EXPECT_EQ(loop.operations, 0U);
  }
  std::printf("%-12s %10s %10s\n", "", "cancelled", "finished");
  for (int kind = 0; kind < kinds; ++kind) {
    std::printf("%-12s %10ld %10ld\n", kind_names[kind], outcomes[kind].cancelled.load(),
                outcomes[kind].finished.load());
    EXPECT_GT(outcomes[kind].cancelled, 0) << kind_names[kind];
    EXPECT_GT(outcomes[kind].finished, 0) << kind_names[kind];
  }
  EXPECT_EQ(kit::open_descriptors(), descriptors);
  std::printf("resident memory after a tenth of it and in the end: %+ld KiB\n", grown);
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  EXPECT_LT(grown, 16 * 1024);
#endif
}

}  // namespace
