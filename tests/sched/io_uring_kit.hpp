// What the tests of the io_uring backend share: operations that record how they end, a place to
// watch and disturb the system call, and a watchdog.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <backend/io_uring/backend.hpp>
#include <chrono>
#include <coil/detail/operation.hpp>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <kit/time_scale.hpp>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace coil::detail::testing {

using namespace std::chrono_literals;

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COIL_TEST_TSAN 1
#elif __has_feature(address_sanitizer)
#define COIL_TEST_ASAN 1
#endif
#endif
#if defined(COIL_TEST_TSAN)
inline constexpr bool thread_sanitized = true;
inline constexpr bool sanitized = true;
#elif defined(COIL_TEST_ASAN)
inline constexpr bool thread_sanitized = false;
inline constexpr bool sanitized = true;
#else
inline constexpr bool thread_sanitized = false;
inline constexpr bool sanitized = false;
#endif

// Every io_uring_enter() of the test program comes through here (io_uring_backpressure_test.cpp
// stands in for liburing's). Per thread.
struct EnterSpy {
  std::uint64_t calls = 0;
  // Given the number of submissions; a negative errno is returned in the kernel's place.
  std::function<int(unsigned submissions)> disturb;
};
EnterSpy& enter_spy();

class RecordedOperation : public Operation {
 public:
  explicit RecordedOperation(OpCode op_code = OpCode::Nop, int descriptor = -1) {
    code = op_code;
    fd = descriptor;
    complete = &on_complete;
  }

  std::vector<std::int32_t> results;
  CompletionFlags flags_of_last;
  int ends = 0;
  std::function<void(RecordedOperation&)> then;  // after each completion

  [[nodiscard]] bool ended() const { return ends != 0; }
  [[nodiscard]] std::int32_t result() const { return results.empty() ? 12345 : results.back(); }

 private:
  static void on_complete(Operation& operation, std::int32_t result,
                          CompletionFlags flags) noexcept {
    auto& self = static_cast<RecordedOperation&>(operation);
    self.results.push_back(result);
    self.flags_of_last = flags;
    if (!flags.more) ++self.ends;
    if (self.then) self.then(self);
  }
};

inline RecordedOperation& with_buffer(RecordedOperation& op, void* data, std::size_t size) {
  op.buffer = data;
  op.length = static_cast<std::uint32_t>(size);
  return op;
}

// Parks until `done` or for 10 seconds, times kit::time_scale().
template <class Done>
[[nodiscard]] bool park_until(Backend& backend, Done done) {
  const auto deadline = Clock::now() + kit::scaled(10s);
  while (!done()) {
    if (Clock::now() > deadline) return false;
    backend.park(deadline);
  }
  return true;
}

// Ends the program when it has not been stroked for so long: a hang becomes a failure.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::seconds limit)
      : thread_([this, limit] { watch(kit::scaled(limit)); }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  void stroke() { strokes_.fetch_add(1, std::memory_order_relaxed); }

 private:
  void watch(std::chrono::seconds limit) {
    std::unique_lock lock(mutex_);
    while (!over_) {
      const auto before = strokes_.load(std::memory_order_relaxed);
      changed_.wait_for(lock, limit, [this] { return over_; });
      if (!over_ && strokes_.load(std::memory_order_relaxed) == before) {
        std::fprintf(stderr, "watchdog: nothing moved for %lld s\n",
                     static_cast<long long>(limit.count()));
        std::abort();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::atomic<std::uint64_t> strokes_{0};
  std::thread thread_;
};

class SocketPair {
 public:
  SocketPair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0); }
  ~SocketPair() {
    close_end(0);
    close_end(1);
  }
  [[nodiscard]] int operator[](int i) const { return ends_[static_cast<std::size_t>(i)]; }
  void close_end(int i);

 private:
  std::array<int, 2> ends_{-1, -1};
};

// A TCP socket that listens on a free port of the loopback interface.
class Listener {
 public:
  Listener();
  ~Listener();
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] int connect_client() const;  // blocking

  sockaddr_storage address{};
  socklen_t address_length = sizeof address;

 private:
  int fd_;
};

// A test with one backend on the test's own thread. Skipped where the kernel refuses io_uring.
class IoUringTest : public ::testing::Test {
 protected:
  void start(BackendLimits limits = {}, uring::WakeRoute route = uring::WakeRoute::DirectMessage);
  void TearDown() override { enter_spy() = {}; }

  Watchdog limit_{60s};  // many a broken backend would sleep for ever
  std::unique_ptr<IoUringBackend> backend_;
};
[[nodiscard]] bool io_uring_allowed();

inline constexpr BackendLimits tiny{.sq_entries = 4, .cq_entries = 8};

}  // namespace coil::detail::testing

#define COIL_SKIP_WITHOUT_IO_URING() \
  if (!::coil::detail::testing::io_uring_allowed()) GTEST_SKIP() << "io_uring is refused here"
