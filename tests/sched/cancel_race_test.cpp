// A cancel and the completion of a kernel operation meet: one of them wins, and nothing is lost.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <coil/cancel_scope.hpp>
#include <coil/detail/operation_awaiter.hpp>
#include <coil/run.hpp>
#include <coil/sleep.hpp>
#include <functional>
#include <kit/loops.hpp>
#include <kit/needs_kernel.hpp>
#include <random>
#include <thread>

using namespace coil;
using namespace std::chrono_literals;

namespace {

constexpr detail::LeafKind leaf{.name = "recv", .cancel = &detail::OperationAwaiter::cancel_leaf};

struct Recv : detail::OperationAwaiter {
  Recv(int descriptor, void* to, std::uint32_t size) : OperationAwaiter(leaf) {
    code = detail::OpCode::Recv;
    fd = descriptor;
    buffer = to;
    length = size;
  }
};

struct Pair {
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0); }
  ~Pair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  // False: the socket is full.
  [[nodiscard]] bool try_send_byte() const { return ::send(ends[1], "x", 1, MSG_DONTWAIT) == 1; }
  void send_byte() const { EXPECT_EQ(::send(ends[1], "x", 1, 0), 1); }
  std::array<int, 2> ends{};
};

TEST(operation, that_is_cancelled_ends_its_await_and_frees_its_buffer) {
  KIT_NEEDS_KERNEL("sockets");
  kit::on_loops([]() -> Coro<> {
    const Pair pair;
    bool cancelled = false;
    auto task = create_task([&]() -> Coro<> {
      char byte = 0;
      try {
        co_await Recv(pair.ends[0], &byte, 1);
      } catch (const CancelledError& error) {
        EXPECT_STREQ(error.what(), "enough");
        cancelled = true;
      }
    });
    co_await sleep(1ms);
    task.cancel("enough");
    co_await task;
    EXPECT_TRUE(cancelled);
  });
}

TEST(operation, is_not_submitted_when_the_cancel_came_before) {
  KIT_NEEDS_KERNEL("sockets");
  kit::on_one_loop([]() -> Coro<> {
    const Pair pair;
    pair.send_byte();
    auto task = create_task([&]() -> Coro<> {
      co_await sleep(0ms);
      TaskRef self = current_task();
      self.cancel();
      char byte = 0;
      bool thrown = false;
      try {
        co_await Recv(pair.ends[0], &byte, 1);
      } catch (const CancelledError&) {
        thrown = true;
      }
      EXPECT_TRUE(thrown);
      EXPECT_EQ(co_await Recv(pair.ends[0], &byte, 1), 1);  // the byte is still there
    });
    co_await task;
  });
}

struct Outcome {
  bool got = false;
  bool thrown = false;
  bool next_thrown = false;
};

Coro<> receive_then_sleep(const Pair& pair, Outcome& outcome) {
  char byte = 0;
  try {
    EXPECT_EQ(co_await Recv(pair.ends[0], &byte, 1), 1);
    outcome.got = true;
  } catch (const CancelledError&) {
    outcome.thrown = true;
  }
  if (outcome.thrown) co_return;
  try {
    co_await sleep(1h);  // the cancel finds the task here at the latest
  } catch (const CancelledError&) {
    outcome.next_thrown = true;
  }
}

// The byte comes just before the cancel, or a little earlier, or after it: what was received is
// delivered, and then the next suspension is cancelled; what was not is still in the socket.
TEST(operation, a_completion_that_beats_cancel_is_delivered) {
  KIT_NEEDS_KERNEL("sockets");
  kit::on_loops([]() -> Coro<> {
    int delivered = 0;
    int cancelled = 0;
    for (int round = 0; round < 600; ++round) {
      const Pair pair;
      Outcome outcome;
      auto task = create_task(receive_then_sleep, std::cref(pair), std::ref(outcome));
      co_await sleep(std::chrono::microseconds(round % 50));  // it may not even have started
      if (round % 3 != 0) pair.send_byte();
      if (round % 3 == 2) co_await sleep(0ms);
      EXPECT_TRUE(task.cancel());
      if (round % 3 == 0) pair.send_byte();
      try {
        co_await task;
      } catch (const CancelledError&) {
        EXPECT_FALSE(outcome.got || outcome.thrown);  // it never ran
        continue;
      }
      EXPECT_NE(outcome.got, outcome.thrown);
      EXPECT_EQ(outcome.got, outcome.next_thrown) << round;
      if (outcome.thrown) {
        char byte = 0;
        EXPECT_EQ(::recv(pair.ends[0], &byte, 1, MSG_DONTWAIT), 1) << round;
      }
      delivered += outcome.got ? 1 : 0;
      cancelled += outcome.thrown ? 1 : 0;
    }
    EXPECT_GT(delivered, 0);
    EXPECT_GT(cancelled, 0);
  });
}

// From threads that are no loop, at any moment: each byte is received once or still there.
TEST(operation, cancelled_from_other_threads_loses_no_byte) {
  KIT_NEEDS_KERNEL("sockets and threads");
  kit::on_loops([]() -> Coro<> {
    const Pair pair;
    std::atomic<bool> stop{false};
    std::atomic<int> sent{0};
    int received = 0;
    auto reader = create_task([&]() -> Coro<> {
      while (!stop || received < sent) {
        char byte = 0;
        try {
          if (co_await Recv(pair.ends[0], &byte, 1) == 1) ++received;
        } catch (const CancelledError&) {
        }
      }
    });
    co_await sleep(1ms);
    std::thread canceller([&] {
      std::mt19937 random(5);
      while (!stop) {
        reader.cancel();
        for (auto spins = random() % 2000; spins > 0; --spins) detail::spin_pause();
      }
    });
    for (int i = 0; i < 2000; ++i) {
      ++sent;
      while (!pair.try_send_byte()) co_await sleep(0ms);  // never blocks the loop
    }
    ++sent;
    stop = true;
    while (!pair.try_send_byte()) co_await sleep(0ms);
    co_await reader;
    canceller.join();
    EXPECT_EQ(received, sent);
  });
}

// A scope cancels again and again: also an operation that has not been submitted yet.
TEST(operation, in_a_cancelled_scope_throws_each_time) {
  KIT_NEEDS_KERNEL("sockets");
  kit::on_loops([]() -> Coro<> {
    const Pair pair;
    int thrown = 0;
    const auto result = co_await move_on_after(1ms, [&](CancelScope&) -> Coro<> {
      for (int i = 0; i < 3; ++i) {
        char byte = 0;
        try {
          co_await Recv(pair.ends[0], &byte, 1);
        } catch (const CancelledError&) {
          ++thrown;
          if (i == 2) throw;
        }
      }
    });
    EXPECT_TRUE(result.cancelled_caught());
    EXPECT_EQ(thrown, 3);
  });
}

}  // namespace
