// Socket: transfer, errors, cancellation, and closing under everybody's feet.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <optional>
#include <string>
#include <vector>

#include "net_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Address;
using coil::Coro;
using coil::Socket;
using kit::bare_pair;

Coro<std::string> recv_text(const Socket& socket, std::size_t n) {
  std::string text(n, '\0');
  text.resize(co_await socket.recv(std::as_writable_bytes(std::span(text))));
  co_return text;
}

Socket listening(int backlog = 128, int family = AF_INET) {
  auto listener = Socket::tcp(family);
  listener.bind(Address(family == AF_INET6 ? "::1" : "127.0.0.1", 0));
  listener.listen(backlog);
  return listener;
}

TEST(Socket, connects_accepts_and_transfers_over_both_families) {
  kit::on_loops([]() -> Coro<> {
    for (const int family : {AF_INET, AF_INET6}) {
      const auto listener = listening(128, family);
      const auto near = Socket::tcp(family);
      co_await near.connect(listener.local_address());
      const auto far = co_await listener.accept();
      EXPECT_EQ(near.remote_address(), listener.local_address());
      EXPECT_EQ(far.remote_address(), near.local_address());
      co_await near.send_all("hello");
      EXPECT_EQ(co_await recv_text(far, 100), "hello");
      near.shutdown();
      EXPECT_EQ(co_await recv_text(far, 100), "");
      co_await far.send_all("bye");
      EXPECT_EQ(co_await recv_text(near, 2), "by");
      EXPECT_EQ(co_await recv_text(near, 2), "e");
    }
  });
}

TEST(Socket, zero_bytes_are_transferred_at_once) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await bare_pair();
    EXPECT_EQ(co_await near.send(""), 0U);
    co_await near.send_all("");
    EXPECT_EQ(co_await near.recv({}), 0U);
    co_await near.send_all("x");
    EXPECT_EQ(co_await recv_text(far, 10), "x");
  });
}

TEST(Socket, errors_name_the_operation_and_its_operands) {
  kit::on_loops([]() -> Coro<> {
    auto listener = listening();
    const auto address = listener.local_address();
    co_await listener.close();
    const auto socket = Socket::tcp();
    EXPECT_EQ(co_await kit::thrown_by<std::system_error>(socket.connect(address)),
              "connect to " + address.to_string() + ": Connection refused");
    std::byte buffer[1];
    EXPECT_EQ(co_await kit::thrown_by<std::system_error>(socket.recv(buffer)),
              "recv: Transport endpoint is not connected");
    EXPECT_EQ(co_await kit::thrown_by<std::system_error>([&]() -> Coro<> {
                socket.bind(Address("192.0.2.1", 5));
                co_return;
              }()),
              "bind to 192.0.2.1:5: Cannot assign requested address");
    EXPECT_EQ(co_await kit::error_of(listener.accept()), EBADF);
    EXPECT_EQ(co_await kit::error_of(Socket().connect(address)), EBADF);
  });
}

TEST(Socket, a_connect_that_failed_or_was_cancelled_can_be_tried_again) {
  kit::on_loops([]() -> Coro<> {
    const kit::FullListener full = co_await kit::full_listener();
    const auto listener = listening();
    const auto socket = Socket::tcp();
    auto connect = coil::create_task(socket.connect(full.address()));
    co_await coil::sleep(2ms);
    EXPECT_FALSE(connect.done());
    connect.cancel();
    co_await kit::thrown_by<coil::CancelledError>(connect);
    co_await socket.connect(listener.local_address());
    const auto far = co_await listener.accept();
    co_await far.send_all("x");
    EXPECT_EQ(co_await recv_text(socket, 5), "x");
  });
}

TEST(Socket, a_cancelled_recv_leaves_the_bytes_to_the_next_one) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await bare_pair();
    const std::string text = kit::pattern(200'000);
    auto send = coil::create_task([&]() -> Coro<> {
      for (std::size_t at = 0; at < text.size(); at += 500) {
        co_await far.send_all(std::string_view(text).substr(at, 500));
        if (at % 7 == 0) co_await coil::sleep(0ms);
      }
      far.shutdown();
    });
    std::string received;
    int cancelled = 0;
    for (int attempt = 0; received.size() < text.size(); ++attempt) {
      auto recv = coil::create_task(recv_text(near, 300));
      if (attempt % 3 != 0) co_await coil::sleep(attempt % 3 == 1 ? 0us : 10us);
      recv.cancel();
      try {
        received += co_await recv;
      } catch (const coil::CancelledError&) {
        ++cancelled;
      }
      if (cancelled % 2 != 0) co_await coil::sleep(5us);
    }
    EXPECT_TRUE(received == text);
    EXPECT_GT(cancelled, 0);
    co_await send;
  });
}

TEST(Socket, a_cancelled_accept_loses_no_connection) {
  kit::on_loops([]() -> Coro<> {
    const auto listener = listening(1024);
    constexpr int count = 200;
    std::vector<coil::Task<>> clients;
    for (int i = 0; i < count; ++i)
      clients.push_back(coil::create_task([&]() -> Coro<> {
        const auto socket = Socket::tcp();
        co_await socket.connect(listener.local_address());
        EXPECT_EQ(co_await recv_text(socket, 5), "hi");
      }));
    int cancelled = 0;
    for (int accepted = 0, attempt = 0; accepted < count; ++attempt) {
      auto accept = coil::create_task(listener.accept());
      if (attempt % 3 != 0) co_await coil::sleep(attempt % 3 == 1 ? 0us : 20us);
      accept.cancel();
      std::optional<Socket> socket;
      try {
        socket = co_await std::move(accept);
      } catch (const coil::CancelledError&) {
        ++cancelled;
      }
      if (!socket) continue;
      co_await socket->send_all("hi");
      ++accepted;
    }
    for (auto& client : clients) co_await client;
    EXPECT_GT(cancelled, 0);
  });
}

TEST(Socket, a_cancelled_send_gives_the_memory_back_and_leaves_the_socket_usable) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await bare_pair();
    std::string text = kit::pattern(4 << 20);
    std::size_t sent = 0;
    bool full = false;
    while (!full) {
      auto send = coil::create_task(near.send(std::string_view(text).substr(sent % (1 << 20))));
      co_await coil::sleep(5ms);
      full = !send.done();
      send.cancel();
      try {
        sent += co_await send;
      } catch (const coil::CancelledError&) {
      }
    }
    std::string().swap(text);  // nobody reads it any more
    std::size_t received = 0;
    while (received < sent) received += (co_await recv_text(far, 100'000)).size();
    EXPECT_EQ(received, sent);
    co_await near.send_all("again");
    EXPECT_EQ(co_await recv_text(far, 100), "again");
  });
}

TEST(Socket, close_ends_what_others_do_on_it_and_waits_for_them) {
  kit::on_loops([]() -> Coro<> {
    int ended_early = 0;
    for (int round = 0; round < 20; ++round) {
      auto [near, far] = co_await bare_pair();
      const auto listener = listening();
      std::vector<coil::Task<int>> blocked;
      std::vector<std::string> buffers(8, std::string(100, '\0'));
      const auto loops = coil::detail::running_loops("test");
      for (auto& buffer : buffers)  // pinned, so that they are spread over all loops
        blocked.push_back(loops[blocked.size() % loops.size()]->create_task(
            kit::error_of(near.recv(std::as_writable_bytes(std::span(buffer))))));
      for (int i = 0; i < 4; ++i)
        blocked.push_back(loops[static_cast<std::size_t>(i) % loops.size()]->create_task(
            kit::error_of(listener.accept())));
      if (round % 2 == 0) co_await coil::sleep(1ms);
      const int number = near.fileno();
      auto second = coil::create_task(near.close());
      co_await near.close();
      co_await listener.close();
      EXPECT_EQ(::fcntl(number, F_GETFD), -1) << "the number is free";
      EXPECT_EQ(near.fileno(), -1);
      for (auto& task : blocked) {
        const int error = co_await task;
        EXPECT_TRUE(error == ECANCELED || error == EBADF) << error;
        ended_early += error == ECANCELED ? 1 : 0;
      }
      std::byte buffer[1];
      EXPECT_EQ(co_await kit::error_of(near.recv(buffer)), EBADF);
      co_await second;
      co_await near.close();
      EXPECT_EQ(co_await recv_text(far, 10), "");
    }
    EXPECT_GT(ended_early, 0);
  });
}

// An operation that is linked and not yet submitted when the socket is closed must not wait on.
TEST(Socket, close_catches_an_operation_that_is_just_being_started) {
  kit::on_loops([]() -> Coro<> {
    const auto loops = coil::detail::running_loops("test");
    for (int round = 0; round < 1500; ++round) {
      auto [near, far] = co_await bare_pair();
      std::atomic<bool> ready = false;
      std::byte buffer[1];
      const std::size_t next = (coil::get_running_loop().index() + 1) % loops.size();
      auto recv = loops[next]->create_task([&]() -> Coro<int> {
        ready = true;
        co_return co_await kit::error_of(near.recv(buffer));
      });
      if (loops.size() > 1) {
        while (!ready) {
        }
        for (volatile int spin = 0; spin < round % 500; spin = spin + 1) {
        }
      }
      co_await near.close();
      const int error = co_await recv;
      EXPECT_TRUE(error == ECANCELED || error == EBADF) << error;
    }
  });
}

// What an operation of another task still uses stays alive, and the number too.
TEST(Socket, one_that_is_dropped_while_in_use_is_closed_safely) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await bare_pair();
    std::byte buffer[10];
    auto recv = coil::create_task(kit::error_of(near.recv(buffer)));
    co_await coil::sleep(1ms);
    {
      const auto gone = std::move(near);
    }
    EXPECT_EQ(co_await recv, ECANCELED);
    EXPECT_EQ(co_await recv_text(far, 10), "");
  });
}

TEST(Socket, a_peer_that_has_gone_is_an_error_and_no_signal) {
  kit::on_loops([]() -> Coro<> {
    auto [near, far] = co_await bare_pair();
    co_await far.close();
    const int error = co_await kit::error_of([&]() -> Coro<> {
      for (;;) co_await near.send_all("x");
    }());
    EXPECT_TRUE(error == EPIPE || error == ECONNRESET) << error;
  });
}

TEST(Socket, many_connects_and_cancels_leave_no_descriptor_behind) {
  kit::on_loops([]() -> Coro<> {
    const auto listener = listening(4096);
    const int before = kit::open_descriptors();
    for (int round = 0; round < 300; ++round) {
      std::vector<coil::Task<>> tasks;
      for (int i = 0; i < 5; ++i)
        tasks.push_back(coil::create_task([&]() -> Coro<> {
          const auto socket = Socket::tcp();
          co_await socket.connect(listener.local_address());
          std::byte buffer[1];
          (void)co_await socket.recv(buffer);
        }));
      if (round % 3 != 0) co_await coil::sleep(round % 3 == 1 ? 0us : 50us);
      for (auto& task : tasks) task.cancel();
      for (auto& task : tasks) co_await kit::thrown_by<coil::CancelledError>(task);
      if (round % 50 == 49) co_await kit::drain_backlog(listener);
    }
    co_await kit::drain_backlog(listener);
    co_await kit::until([&] { return kit::open_descriptors() <= before; });
  });
}

}  // namespace
