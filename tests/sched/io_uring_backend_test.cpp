// The io_uring backend on its own: every operation, tiny queues, cancel, deadlines.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "io_uring_kit.hpp"

namespace coil::detail::testing {
namespace {

class IoUringBackendTest : public IoUringTest {
 protected:
  std::int32_t run(RecordedOperation& op) {
    backend_->submit(op);
    EXPECT_TRUE(park_until(*backend_, [&] { return op.ended(); }));
    EXPECT_EQ(op.ends, 1);
    return op.result();
  }
  std::int32_t run(OpCode code, int fd, std::uint32_t flags = 0) {
    RecordedOperation op(code, fd);
    op.flags = flags;
    return run(op);
  }
  std::int32_t run(OpCode code, int fd, void* data, std::size_t size, std::uint32_t flags = 0) {
    RecordedOperation op(code, fd);
    op.flags = flags;
    return run(with_buffer(op, data, size));
  }
  void finish() {
    ASSERT_TRUE(park_until(*backend_, [&] { return backend_->in_flight() == 0; }));
  }
};

TEST_F(IoUringBackendTest, says_what_it_runs_on) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  EXPECT_NE(backend_->describe().find("io_uring, 4 submissions, 8 completions"), std::string::npos)
      << backend_->describe();
}

TEST_F(IoUringBackendTest, ten_thousand_operations_pass_through_queues_of_four_and_eight) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  std::vector<RecordedOperation> nops(10'000);
  for (auto& nop : nops) backend_->submit(nop);
  EXPECT_EQ(backend_->in_flight(), nops.size());
  finish();
  EXPECT_TRUE(std::ranges::all_of(
      nops, [](const auto& nop) { return nop.ends == 1 && nop.result() == 0; }));
  EXPECT_FALSE(backend_->wants_poll());
}

TEST_F(IoUringBackendTest, one_poll_delivers_what_had_overflown) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  std::vector<RecordedOperation> nops(100);
  for (auto& nop : nops) backend_->submit(nop);
  EXPECT_EQ(backend_->poll(), nops.size());
}

TEST_F(IoUringBackendTest, a_completion_may_submit_many_more_on_tiny_queues) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  constexpr std::size_t count = 50'000;
  std::size_t next = 0;
  std::vector<RecordedOperation> nops(count);
  auto submit_three = [&](RecordedOperation&) {
    for (int i = 0; i < 3 && next < count; ++i) backend_->submit(nops[next++]);
  };
  for (auto& nop : nops) nop.then = submit_three;
  submit_three(nops[0]);
  finish();
  EXPECT_EQ(next, count);
  EXPECT_TRUE(std::ranges::all_of(nops, [](const auto& nop) { return nop.ends == 1; }));
}

TEST_F(IoUringBackendTest, an_operation_may_be_submitted_again_from_its_completion) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  RecordedOperation nop;
  int left = 1000;
  nop.then = [&](RecordedOperation& self) {
    if (--left > 0) backend_->submit(self);
  };
  backend_->submit(nop);
  finish();
  EXPECT_EQ(nop.ends, 1000);
}

TEST_F(IoUringBackendTest, reads_writes_and_syncs_a_file) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  char name[] = "/tmp/coil_io_uring_XXXXXX";
  const int file = ::mkostemp(name, O_CLOEXEC);
  ASSERT_GE(file, 0);
  char out[] = "0123456789";
  RecordedOperation write(OpCode::Write, file);
  write.offset = 5;
  EXPECT_EQ(run(with_buffer(write, out, 10)), 10);
  EXPECT_EQ(run(OpCode::Fsync, file), 0);
  std::array<char, 32> in{};
  RecordedOperation read(OpCode::Read, file);
  read.offset = 7;
  EXPECT_EQ(run(with_buffer(read, in.data(), in.size())), 8);
  EXPECT_STREQ(in.data(), "23456789");
  EXPECT_EQ(run(OpCode::Close, file), 0);
  EXPECT_EQ(::fcntl(file, F_GETFD), -1);
  EXPECT_EQ(run(OpCode::Close, file), -EBADF);
  ::unlink(name);
}

TEST_F(IoUringBackendTest, opens_and_measures_a_file) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  char name[] = "/tmp/coil_io_uring_XXXXXX";
  const int made = ::mkostemp(name, O_CLOEXEC);
  ASSERT_EQ(::write(made, "12345", 5), 5);
  ::close(made);
  RecordedOperation open(OpCode::OpenAt, AT_FDCWD);
  open.buffer = name;
  open.flags = O_RDONLY | O_CLOEXEC;
  const int file = run(open);
  ASSERT_GE(file, 0);
  EXPECT_EQ(::fcntl(file, F_GETFL) & O_NONBLOCK, 0);
  struct statx found{};
  RecordedOperation measure(OpCode::Statx, file);
  measure.buffer = &found;
  measure.length = STATX_SIZE;
  EXPECT_EQ(run(measure), 0);
  EXPECT_EQ(found.stx_size, 5U);
  ::close(file);
  ::unlink(name);
  RecordedOperation again(OpCode::OpenAt, AT_FDCWD);
  again.buffer = name;
  EXPECT_EQ(run(again), -ENOENT);
}

// A worker of the kernel's waits for the other end, and is interrupted.
TEST_F(IoUringBackendTest, cancels_the_opening_of_a_fifo) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  char name[] = "/tmp/coil_io_uring_XXXXXX";
  ASSERT_NE(::mkdtemp(name), nullptr);
  const std::string fifo = std::string(name) + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const bool at_once : {true, false}) {
    RecordedOperation open(OpCode::OpenAt, AT_FDCWD);
    open.buffer = const_cast<char*>(fifo.c_str());
    open.flags = O_RDONLY | O_CLOEXEC;
    backend_->submit(open);
    if (!at_once) (void)backend_->poll();
    EXPECT_EQ(open.ends, 0);
    backend_->cancel(open);
    finish();
    EXPECT_EQ(open.ends, 1);
    EXPECT_EQ(open.result(), -ECANCELED);
  }
  ::unlink(fifo.c_str());
  ::rmdir(name);
}

TEST_F(IoUringBackendTest, connects_accepts_sends_receives_and_shuts_down) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  Listener listener;
  RecordedOperation accept(OpCode::Accept, listener.fd());
  accept.flags = SOCK_CLOEXEC;
  backend_->submit(accept);
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  RecordedOperation connect(OpCode::Connect, client);
  connect.address = reinterpret_cast<const sockaddr*>(&listener.address);
  connect.address_length = listener.address_length;
  EXPECT_EQ(run(connect), 0);
  ASSERT_TRUE(park_until(*backend_, [&] { return accept.ended(); }));
  const int server = accept.result();
  ASSERT_GE(server, 0);
  EXPECT_EQ(::fcntl(server, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);

  char hello[] = "hello";
  std::array<char, 16> in{};
  EXPECT_EQ(run(OpCode::Send, client, hello, 5), 5);
  EXPECT_EQ(run(OpCode::Recv, server, in.data(), in.size()), 5);
  EXPECT_STREQ(in.data(), "hello");

  iovec parts[] = {{hello, 2}, {hello + 3, 2}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  EXPECT_EQ(run(OpCode::SendMessage, server, &message, 0), 4);
  in = {};
  iovec whole{in.data(), in.size()};
  message.msg_iov = &whole;
  message.msg_iovlen = 1;
  EXPECT_EQ(run(OpCode::RecvMessage, client, &message, 0), 4);
  EXPECT_STREQ(in.data(), "helo");

  EXPECT_EQ(run(OpCode::Shutdown, client, SHUT_WR), 0);
  EXPECT_EQ(run(OpCode::Recv, server, in.data(), in.size()), 0);
  EXPECT_EQ(run(OpCode::Poll, server, POLLIN | POLLRDHUP) & POLLRDHUP, POLLRDHUP);
  EXPECT_EQ(run(OpCode::Close, server), 0);
  EXPECT_EQ(run(OpCode::Close, client), 0);
}

TEST_F(IoUringBackendTest, sending_to_a_peer_that_has_gone_is_an_error_and_no_signal) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  SocketPair pair;
  pair.close_end(1);
  char byte = 'x';
  EXPECT_EQ(run(OpCode::Send, pair[0], &byte, 1), -EPIPE);
  iovec part{&byte, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  EXPECT_EQ(run(OpCode::SendMessage, pair[0], &message, 0), -EPIPE);
}

TEST_F(IoUringBackendTest, a_bad_descriptor_is_a_completion_and_holds_nothing_else_up) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  std::vector<RecordedOperation> ops(30);
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (i % 3 == 0) {
      ops[i].code = OpCode::Recv;
      ops[i].fd = 1'000'000;
    }
    backend_->submit(ops[i]);
  }
  finish();
  for (std::size_t i = 0; i < ops.size(); ++i) {
    EXPECT_EQ(ops[i].result(), i % 3 == 0 ? -EBADF : 0);
  }
}

TEST_F(IoUringBackendTest, cancel_ends_what_is_pending) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  Listener listener;
  SocketPair pair;
  std::array<char, 8> memory{};
  for (const bool kernel_has_seen_them : {false, true}) {
    std::vector<std::unique_ptr<RecordedOperation>> ops;
    auto add = [&](OpCode code, int fd, std::uint32_t flags) {
      auto op = std::make_unique<RecordedOperation>(code, fd);
      op->flags = flags;
      if (code == OpCode::Recv || code == OpCode::Read) with_buffer(*op, memory.data(), 8);
      ops.push_back(std::move(op));
    };
    add(OpCode::Recv, pair[0], 0);
    add(OpCode::Read, pair[0], 0);
    add(OpCode::Accept, listener.fd(), 0);
    add(OpCode::AcceptMultishot, listener.fd(), 0);
    add(OpCode::RecvMultishot, pair[1], 0);
    add(OpCode::Poll, pair[0], POLLIN);
    for (auto& op : ops) backend_->submit(*op);
    if (kernel_has_seen_them) EXPECT_EQ(backend_->poll(), 0U);
    for (auto& op : ops) backend_->cancel(*op);
    finish();
    for (auto& op : ops) {
      EXPECT_EQ(op->results, std::vector{-ECANCELED}) << static_cast<int>(op->code);
      EXPECT_EQ(op->ends, 1);
    }
  }
}

TEST_F(IoUringBackendTest, a_completion_that_beats_cancel_is_delivered) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  SocketPair pair;
  for (const bool kernel_has_seen_it : {false, true}) {
    ASSERT_EQ(::write(pair[1], "bytes", 5), 5);
    std::array<char, 8> memory{};
    RecordedOperation recv(OpCode::Recv, pair[0]);
    std::vector<RecordedOperation> nops(kernel_has_seen_it ? 4 : 0);
    backend_->submit(with_buffer(recv, memory.data(), memory.size()));
    for (auto& nop : nops) backend_->submit(nop);  // more than the queue holds
    backend_->cancel(recv);
    EXPECT_FALSE(recv.ended());
    finish();
    EXPECT_EQ(recv.results, std::vector{5}) << "the bytes have left the socket";
    EXPECT_EQ(std::memcmp(memory.data(), "bytes", 5), 0);
  }
}

TEST_F(IoUringBackendTest, racing_cancel_and_data_deliver_one_or_the_other) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  SocketPair pair;
  std::size_t received = 0;
  constexpr int rounds = 3000;
  std::thread writer([&] {
    std::mt19937 random(3);
    for (int i = 0; i < rounds; ++i) {
      ASSERT_EQ(::write(pair[1], "x", 1), 1);
      for (unsigned spin = random() % 2000; spin > 0; --spin) spin_pause();
    }
  });
  std::mt19937 random(4);
  while (received < rounds) {
    char byte = 0;
    RecordedOperation recv(OpCode::Recv, pair[0]);
    backend_->submit(with_buffer(recv, &byte, 1));
    if (random() % 2 == 0) backend_->poll();
    for (unsigned spin = random() % 2000; spin > 0; --spin) spin_pause();
    if (!recv.ended()) backend_->cancel(recv);
    ASSERT_TRUE(park_until(*backend_, [&] { return recv.ended(); }));
    ASSERT_EQ(recv.ends, 1);
    if (recv.result() == 1) {
      EXPECT_EQ(byte, 'x');
      ++received;
    } else {
      ASSERT_EQ(recv.result(), -ECANCELED);
    }
  }
  writer.join();
}

TEST_F(IoUringBackendTest, a_late_cancel_misses_a_new_operation_at_the_same_address) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  SocketPair pair;
  char byte = 0;
  RecordedOperation first;
  RecordedOperation second;
  // Both complete in one batch; the first asks to cancel the second, whose end is already there,
  // and the second's memory serves for a new operation at once.
  first.then = [&](RecordedOperation&) { backend_->cancel(second); };
  second.then = [&](RecordedOperation& self) {
    if (self.ends > 1) return;
    self.code = OpCode::Recv;
    self.fd = pair[0];
    backend_->submit(with_buffer(self, &byte, 1));
  };
  backend_->submit(first);
  backend_->submit(second);
  EXPECT_EQ(backend_->poll(), 2U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(backend_->poll(), 0U);
  ASSERT_EQ(::write(pair[1], "x", 1), 1);
  finish();
  EXPECT_EQ(second.results, (std::vector{0, 1}));
}

TEST_F(IoUringBackendTest, park_never_returns_before_its_deadline) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  std::mt19937 random(5);
  for (int i = 0; i < 200; ++i) {
    const auto begin = Clock::now();
    const auto deadline = begin + std::chrono::nanoseconds(random() % 2'000'000);
    EXPECT_EQ(backend_->park(deadline), 0U);
    EXPECT_GE(Clock::now(), deadline);
    EXPECT_LT(Clock::now(), deadline + 1s);
  }
}

TEST_F(IoUringBackendTest, a_deadline_in_the_past_polls) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  for (const TimePoint deadline : {TimePoint::min(), Clock::now() - 1s, Clock::now()}) {
    RecordedOperation nop;
    backend_->submit(nop);
    EXPECT_EQ(backend_->park(deadline), 1U);
    EXPECT_EQ(backend_->park(deadline), 0U);
  }
}

TEST_F(IoUringBackendTest, park_returns_at_a_completion) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  SocketPair pair;
  char byte = 0;
  RecordedOperation recv(OpCode::Recv, pair[0]);
  backend_->submit(with_buffer(recv, &byte, 1));
  std::thread writer([&] { ASSERT_EQ(::write(pair[1], "x", 1), 1); });
  EXPECT_EQ(backend_->park(never), 1U);
  writer.join();
}

TEST_F(IoUringBackendTest, signals_do_not_end_a_park) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  struct sigaction action{};
  action.sa_handler = [](int) {};
  struct sigaction before{};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  std::atomic<bool> over{false};
  std::thread sender([&over, target = pthread_self()] {
    while (!over) {
      pthread_kill(target, SIGUSR1);
      std::this_thread::sleep_for(1ms);
    }
  });
  const auto deadline = Clock::now() + 50ms;
  EXPECT_EQ(backend_->park(deadline), 0U);
  EXPECT_GE(Clock::now(), deadline);
  over = true;
  sender.join();
  sigaction(SIGUSR1, &before, nullptr);
}

TEST_F(IoUringBackendTest, many_backends_come_and_go_on_one_thread) {
  COIL_SKIP_WITHOUT_IO_URING();
  std::vector<std::unique_ptr<IoUringBackend>> backends;
  for (int i = 0; i < 40; ++i) {  // more than one thread may register
    backends.push_back(std::make_unique<IoUringBackend>(tiny));
    backends.back()->attach();
  }
  for (auto& backend : backends) {
    RecordedOperation nop;
    backend->submit(nop);
    EXPECT_EQ(backend->poll(), 1U);
  }
  // Made here, used there, destroyed here; and the indices registered here stay what they were.
  std::thread([&] {
    IoUringBackend& moved = *backends.emplace_back(std::make_unique<IoUringBackend>(tiny));
    moved.attach();
    RecordedOperation nop;
    moved.submit(nop);
    EXPECT_EQ(moved.poll(), 1U);
  }).join();
  backends.pop_back();
  for (auto& backend : backends) {
    RecordedOperation nop;
    backend->submit(nop);
    EXPECT_EQ(backend->poll(), 1U);
  }
}

using IoUringBackendDeathTest = IoUringBackendTest;

TEST_F(IoUringBackendDeathTest, going_with_an_operation_in_flight_is_fatal) {
  COIL_SKIP_WITHOUT_IO_URING();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        start();
        RecordedOperation nop;
        backend_->submit(nop);
        backend_.reset();
      },
      "nothing is in flight");
}

TEST_F(IoUringBackendDeathTest, use_by_a_thread_that_does_not_own_it_is_fatal) {
  COIL_SKIP_WITHOUT_IO_URING();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        start();
        RecordedOperation nop;
        backend_->submit(nop);
        std::thread([&] { backend_->poll(); }).join();
      },
      "only the thread that owns a ring enters it");
}

}  // namespace
}  // namespace coil::detail::testing
