// Waking a loop that blocks in its ring, by each of the three routes: nothing is lost, nothing
// blocks that was notified, and what fails falls back.
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>

#include "io_uring_kit.hpp"

namespace coil::detail::testing {
namespace {

using uring::WakeRoute;

class IoUringWake : public IoUringTest, public ::testing::WithParamInterface<WakeRoute> {
 protected:
  void SetUp() override {
    COIL_SKIP_WITHOUT_IO_URING();
    start({}, GetParam());
    if (backend_->route() != GetParam()) GTEST_SKIP() << "this kernel has no such route";
  }
};

// A loop on a thread of its own that runs `body(backend)`.
class Neighbour {
 public:
  template <class Body>
  Neighbour(WakeRoute route, Body body, BackendLimits limits = {})
      : backend_(limits, route), thread_([this, body] {
          backend_.attach();
          ready_.store(true, std::memory_order_release);
          body(backend_);
        }) {
    while (!ready_.load(std::memory_order_acquire)) std::this_thread::yield();
  }
  ~Neighbour() { thread_.join(); }
  [[nodiscard]] IoUringBackend& backend() { return backend_; }

 private:
  IoUringBackend backend_;
  std::atomic<bool> ready_{false};
  std::thread thread_;
};

void pause_randomly(std::mt19937& random) {
  const auto draw = random() % 64;
  if (draw == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 100));
  if (draw < 32) {
    for (unsigned spin = random() % 500; spin > 0; --spin) spin_pause();
  }
}

TEST_P(IoUringWake, an_unpark_before_ends_the_next_park_and_only_that) {
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 1000; ++k) backend_->unpark();
    EXPECT_EQ(backend_->park(never), 0U);
    const auto deadline = Clock::now() + 2ms;
    EXPECT_EQ(backend_->park(deadline), 0U);
    EXPECT_GE(Clock::now(), deadline) << "a thousand are one";
  }
}

TEST_P(IoUringWake, an_unpark_of_a_loop_that_is_awake_costs_no_system_call) {
  const auto before = enter_spy().calls;
  for (int i = 0; i < 100; ++i) backend_->unpark();
  EXPECT_FALSE(backend_->wants_poll()) << "nothing has come into the ring";
  EXPECT_EQ(backend_->park(never), 0U);
  EXPECT_EQ(enter_spy().calls, before);
}

TEST_P(IoUringWake, foreign_threads_lose_no_wake_up) {
  constexpr int producers = 2;
  constexpr int each = 50'000;
  std::atomic<int> posted{0};
  Watchdog watchdog(5s);
  std::vector<std::thread> threads;
  for (int p = 0; p < producers; ++p) {
    threads.emplace_back([&, p] {
      std::mt19937 random(static_cast<unsigned>(p));
      for (int i = 0; i < each; ++i) {
        posted.fetch_add(1, std::memory_order_relaxed);
        backend_->unpark();
        pause_randomly(random);
      }
    });
  }
  int seen = 0;
  while (seen < producers * each) {
    backend_->park(never);
    const int now = posted.load(std::memory_order_relaxed);
    if (now != seen) watchdog.stroke();
    seen = now;
  }
  for (auto& thread : threads) thread.join();
}

TEST_P(IoUringWake, each_hand_over_wakes_a_loop_that_sleeps) {
  // One token goes back and forth; whoever does not hold it sleeps without a deadline.
  constexpr int rounds = 10'000;
  std::atomic<int> token{0};
  Watchdog watchdog(5s);
  const auto play = [&](IoUringBackend& own, Backend& other, int side) {
    for (int i = 0; i < rounds; ++i) {
      while (token.load(std::memory_order_acquire) != side) own.park(never);
      token.store(1 - side, std::memory_order_release);
      own.unpark_other(other);
      watchdog.stroke();
    }
  };
  Neighbour neighbour(GetParam(), [&](IoUringBackend& own) { play(own, *backend_, 1); });
  play(*backend_, neighbour.backend(), 0);
}

TEST_P(IoUringWake, wake_ups_come_through_full_queues) {
  start(tiny, GetParam());
  constexpr int rounds = 2'000;
  std::atomic<int> posted{0};
  Watchdog watchdog(5s);
  std::thread poster([&] {
    std::mt19937 random(9);
    for (int i = 0; i < rounds; ++i) {
      posted.fetch_add(1, std::memory_order_relaxed);
      backend_->unpark();
      pause_randomly(random);
    }
  });
  std::vector<RecordedOperation> nops(64);
  for (int seen = 0; seen < rounds; seen = posted.load(std::memory_order_relaxed)) {
    if (backend_->in_flight() == 0) {
      for (auto& nop : nops) backend_->submit(nop);  // ends the poll of the eventfd, too
      while (backend_->in_flight() != 0) backend_->poll();
    }
    if (posted.load(std::memory_order_relaxed) == seen) backend_->park(never);
    watchdog.stroke();
  }
  poster.join();
}

TEST_P(IoUringWake, a_signal_handler_may_unpark) {
  if (thread_sanitized) GTEST_SKIP() << "TSan runs a handler only at the next call that it knows";
  static std::atomic<Backend*> target;
  target = backend_.get();
  struct sigaction action{};
  action.sa_handler = [](int) { target.load()->unpark(); };
  struct sigaction before{};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  Watchdog watchdog(5s);
  for (int i = 0; i < 100; ++i) {
    std::thread sender([self = pthread_self()] { pthread_kill(self, SIGUSR1); });
    EXPECT_EQ(backend_->park(never), 0U);
    sender.join();
    watchdog.stroke();
  }
  sigaction(SIGUSR1, &before, nullptr);
}

TEST_P(IoUringWake, submissions_go_along_with_a_wake_up_and_none_is_lost) {
  std::atomic<bool> over{false};
  Neighbour neighbour(GetParam(), [&](IoUringBackend& own) {
    while (!over.load(std::memory_order_acquire)) own.park(never);
  });
  std::vector<RecordedOperation> nops(2'000);
  for (auto& nop : nops) {
    backend_->submit(nop);
    backend_->unpark_other(neighbour.backend());
  }
  while (backend_->in_flight() != 0) backend_->poll();
  for (auto& nop : nops) EXPECT_EQ(nop.ends, 1);
  over.store(true, std::memory_order_release);
  backend_->unpark_other(neighbour.backend());
}

// The newest descriptor of this process that is of a kind, as "[io_uring]".
int newest_descriptor(const std::string& kind) {
  int newest = -1;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const auto link = std::filesystem::read_symlink(entry.path(), ignored).string();
    if (link.find(kind) != std::string::npos) {
      newest = std::max(newest, std::stoi(entry.path().filename()));
    }
  }
  return newest;
}

TEST_P(IoUringWake, the_poll_of_the_eventfd_is_armed_again_when_it_ends) {
  backend_.reset();
  start(tiny, GetParam());
  const int eventfd = newest_descriptor("[eventfd]");
  for (int round = 0; round < 20; ++round) {
    // More completions at once than the queue holds, and the wake-up behind them: its poll ends.
    std::array<SocketPair, 20> pairs;
    std::array<char, 8> memory{};
    std::vector<std::unique_ptr<RecordedOperation>> recvs;
    for (auto& pair : pairs) {
      recvs.push_back(std::make_unique<RecordedOperation>(OpCode::Recv, pair[0]));
      backend_->submit(with_buffer(*recvs.back(), memory.data(), memory.size()));
    }
    backend_->poll();
    for (auto& pair : pairs) ASSERT_EQ(::write(pair[1], "x", 1), 1);
    const std::uint64_t one = 1;
    ASSERT_EQ(::write(eventfd, &one, sizeof one), 8);
    ASSERT_TRUE(park_until(*backend_, [&] { return backend_->in_flight() == 0; }));
    backend_->poll();
    backend_->poll();
    std::atomic<bool> called{false};
    std::thread caller([&] {
      std::this_thread::sleep_for(2ms);
      called = true;
      backend_->unpark();
    });
    while (!called) backend_->park(never);
    caller.join();
  }
}

TEST_P(IoUringWake, a_message_that_fails_is_followed_by_an_eventfd_write) {
  std::atomic<int> seen{0};
  std::atomic<int> posted{0};
  Watchdog watchdog(5s);
  {
    Neighbour neighbour(GetParam(), [&](IoUringBackend& own) {
      while (seen < 20) {
        own.park(never);
        seen = posted.load();
      }
    });
    // Messages go to the descriptor; the neighbour itself enters by a registered index.
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ASSERT_GE(::dup2(null, newest_descriptor("[io_uring]")), 0);
    ::close(null);
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(1ms);  // it is asleep, most likely
      posted.store(i + 1);
      backend_->unpark_other(neighbour.backend());
      while (seen != i + 1) backend_->poll();
      watchdog.stroke();
    }
  }
}

std::string name_of(const ::testing::TestParamInfo<WakeRoute>& info) {
  constexpr std::array names{"eventfd", "ring_message", "direct_message"};
  return names[static_cast<std::size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Routes, IoUringWake,
                         ::testing::Values(WakeRoute::EventFd, WakeRoute::RingMessage,
                                           WakeRoute::DirectMessage),
                         name_of);

}  // namespace
}  // namespace coil::detail::testing
