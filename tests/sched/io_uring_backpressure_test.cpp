// A kernel that takes nothing for a while (EAGAIN, EBUSY), a signal in the middle: the line of
// waiting operations. Also holds what the other io_uring tests share and can't be inline.
//
// The definition of io_uring_enter2 below stands in for liburing's in the whole test program.
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <random>

#include "io_uring_kit.hpp"

extern "C" int io_uring_enter2(unsigned fd, unsigned to_submit, unsigned min_complete,
                               unsigned flags, sigset_t* argument, size_t size) {
  auto& spy = coil::detail::testing::enter_spy();
  ++spy.calls;
  if (spy.disturb) {
    if (const int error = spy.disturb(to_submit); error != 0) return error;
  }
  const long result =
      syscall(__NR_io_uring_enter, fd, to_submit, min_complete, flags, argument, size);
  return result < 0 ? -errno : static_cast<int>(result);
}

namespace coil::detail::testing {

EnterSpy& enter_spy() {
  thread_local EnterSpy spy;
  return spy;
}

void SocketPair::close_end(int i) {
  int& end = ends_[static_cast<std::size_t>(i)];
  if (end >= 0) ::close(end);
  end = -1;
}

Listener::Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  auto* in = reinterpret_cast<sockaddr_in*>(&address);
  in->sin_family = AF_INET;
  in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(fd_, any, sizeof *in), 0);
  EXPECT_EQ(::listen(fd_, 1024), 0);
  EXPECT_EQ(::getsockname(fd_, any, &address_length), 0);
}

Listener::~Listener() { ::close(fd_); }

int Listener::connect_client() const {
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), address_length), 0);
  return client;
}

bool io_uring_allowed() {
  try {
    const IoUringBackend probe{BackendLimits{}};
    return true;
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    return code != EPERM && code != ENOSYS && code != EACCES;
  }
}

void IoUringTest::start(BackendLimits limits, uring::WakeRoute route) {
  backend_ = std::make_unique<IoUringBackend>(limits, route);
  backend_->attach();
}

class IoUringBackpressure : public IoUringTest {
 protected:
  // Until told otherwise the kernel answers each submission with `error`.
  void block(int error = -EAGAIN) {
    enter_spy().disturb = [error](unsigned submissions) { return submissions != 0 ? error : 0; };
  }
  void unblock() { enter_spy().disturb = nullptr; }
};

TEST_F(IoUringBackpressure, operations_wait_in_line_and_complete_once_the_kernel_takes_them) {
  for (const int error : {-EAGAIN, -EBUSY}) {
    COIL_SKIP_WITHOUT_IO_URING();
    start(tiny);
    std::vector<RecordedOperation> nops(1000);
    block(error);
    for (auto& nop : nops) backend_->submit(nop);
    EXPECT_EQ(backend_->in_flight(), 1000U);
    EXPECT_EQ(backend_->poll(), 0U);
    EXPECT_TRUE(backend_->wants_poll());
    unblock();
    ASSERT_TRUE(park_until(*backend_, [&] { return backend_->in_flight() == 0; }));
    for (auto& nop : nops) EXPECT_EQ(nop.ends, 1);
    EXPECT_FALSE(backend_->wants_poll());
  }
}

TEST_F(IoUringBackpressure, cancelling_one_that_waits_in_line_ends_it_without_the_kernel) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  SocketPair pair;
  ASSERT_EQ(::write(pair[1], "hello", 5), 5);
  std::array<char, 8> memory{};
  std::vector<RecordedOperation> nops(20);
  RecordedOperation recv(OpCode::Recv, pair[0]);
  with_buffer(recv, memory.data(), memory.size());
  block();
  for (auto& nop : nops) backend_->submit(nop);
  Operation* const inbox = &nops[0];
  recv.next = inbox;
  backend_->submit(recv);
  backend_->cancel(recv);
  backend_->cancel(recv);
  EXPECT_FALSE(recv.ended()) << "cancel() itself delivers nothing";
  RecordedOperation behind;
  backend_->submit(behind);
  unblock();
  ASSERT_TRUE(park_until(*backend_, [&] { return backend_->in_flight() == 0; }));
  EXPECT_EQ(recv.results, std::vector{-ECANCELED});
  EXPECT_EQ(behind.ends, 1);
  EXPECT_EQ(recv.next, inbox) << "a cancel message may be under way: the link is the inbox's";
  EXPECT_EQ(::read(pair[0], memory.data(), memory.size()), 5) << "its bytes are still there";
}

TEST_F(IoUringBackpressure, a_cancel_that_waits_in_line_still_ends_its_operation) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  SocketPair pair;
  std::array<char, 8> memory{};
  RecordedOperation recv(OpCode::Recv, pair[0]);
  with_buffer(recv, memory.data(), memory.size());
  backend_->submit(recv);
  backend_->poll();
  std::vector<RecordedOperation> nops(20);
  block();
  for (auto& nop : nops) backend_->submit(nop);
  backend_->cancel(recv);
  unblock();
  ASSERT_TRUE(park_until(*backend_, [&] { return backend_->in_flight() == 0; }));
  EXPECT_EQ(recv.results, std::vector{-ECANCELED});
}

TEST_F(IoUringBackpressure, an_operation_may_end_while_its_cancel_waits_in_line) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  std::array<SocketPair, 3> pairs;
  std::array<char, 8> memory{};
  std::vector<std::unique_ptr<RecordedOperation>> recvs;
  for (auto& pair : pairs) {
    recvs.push_back(std::make_unique<RecordedOperation>(OpCode::Recv, pair[0]));
    backend_->submit(with_buffer(*recvs.back(), memory.data(), 8));
  }
  backend_->poll();
  std::vector<RecordedOperation> nops(8);
  block();
  for (auto& nop : nops) backend_->submit(nop);
  for (auto& recv : recvs) backend_->cancel(*recv);
  for (auto& pair : pairs) ASSERT_EQ(::write(pair[1], "x", 1), 1);
  // Only what is submitted is refused; the three ends come. A parked loop asks again soon.
  for (int i = 0; i < 100 && backend_->in_flight() > nops.size(); ++i) {
    backend_->park(Clock::now() + 1s);
  }
  ASSERT_EQ(backend_->in_flight(), nops.size());
  for (auto& recv : recvs) EXPECT_EQ(recv->results, std::vector{1});
  recvs.clear();           // gone: a cancel left in line would read freed memory
  RecordedOperation late;  // joins where the cancels stood
  backend_->submit(late);
  unblock();
  ASSERT_TRUE(park_until(*backend_, [&] { return backend_->in_flight() == 0; }));
  EXPECT_EQ(late.ends, 1);
}

TEST_F(IoUringBackpressure, a_park_returns_in_time_though_the_kernel_takes_nothing) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  std::vector<RecordedOperation> nops(10);
  block();
  for (auto& nop : nops) backend_->submit(nop);
  const auto begin = Clock::now();
  backend_->park(never);
  EXPECT_LT(Clock::now() - begin, 1s);
  unblock();
  ASSERT_TRUE(park_until(*backend_, [&] { return backend_->in_flight() == 0; }));
}

TEST_F(IoUringBackpressure, under_random_refusals_each_of_many_operations_ends_once) {
  COIL_SKIP_WITHOUT_IO_URING();
  start(tiny);
  std::mt19937 random(7);
  enter_spy().disturb = [&](unsigned submissions) {
    const auto draw = random() % 8;
    if (draw == 0) return -EINTR;
    return submissions != 0 && draw < 4 ? -EAGAIN : 0;
  };
  constexpr int count = 5000;
  std::vector<SocketPair> pairs(16);
  std::array<char, 8> memory{};
  std::vector<std::unique_ptr<RecordedOperation>> ops;
  int cancelled = 0;
  for (int i = 0; i < count; ++i) {
    const bool pending = random() % 2 == 0;
    auto op = std::make_unique<RecordedOperation>(pending ? OpCode::Recv : OpCode::Nop,
                                                  pending ? pairs[random() % 16][0] : -1);
    backend_->submit(with_buffer(*op, memory.data(), pending ? 8 : 0));
    ops.push_back(std::move(op));
    if (random() % 4 == 0) backend_->poll();
    auto& victim = *ops[random() % ops.size()];
    if (!victim.ended()) backend_->cancel(victim);
  }
  for (auto& op : ops) {
    if (!op->ended()) backend_->cancel(*op);
  }
  ASSERT_TRUE(park_until(*backend_, [&] { return backend_->in_flight() == 0; }));
  for (auto& op : ops) {
    ASSERT_EQ(op->ends, 1);
    if (op->result() == -ECANCELED) ++cancelled;
    if (op->code == OpCode::Recv) EXPECT_EQ(op->result(), -ECANCELED);
  }
  EXPECT_GT(cancelled, count / 4);
}

TEST_F(IoUringBackpressure, a_poll_of_an_idle_ring_makes_no_system_call) {
  COIL_SKIP_WITHOUT_IO_URING();
  start();
  const auto before = enter_spy().calls;
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(backend_->wants_poll());
    EXPECT_EQ(backend_->poll(), 0U);
  }
  EXPECT_EQ(enter_spy().calls, before);
  std::vector<RecordedOperation> nops(100);
  for (auto& nop : nops) backend_->submit(nop);
  EXPECT_TRUE(backend_->wants_poll());
  EXPECT_EQ(backend_->poll(), 100U);
  EXPECT_EQ(enter_spy().calls, before + 1) << "submitting and collecting are one call";
}

}  // namespace coil::detail::testing
