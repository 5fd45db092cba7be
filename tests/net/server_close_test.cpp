// The end of a server: what wait_closed() waits for, and which connections a server still knows.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <optional>
#include <string>
#include <system_error>

#include "net_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;
using coil::StreamReader;
using coil::StreamWriter;

// More than the kernel's buffers take.
constexpr std::size_t much = std::size_t{8} << 20;

Coro<coil::Socket> connect_to(const coil::Server& server) {
  auto socket = coil::Socket::tcp();
  co_await socket.connect(coil::Address("127.0.0.1", server.port()));
  co_return socket;
}

Coro<std::size_t> count_to_the_end(const coil::Socket& socket) {
  std::string memory(65536, '\0');
  std::size_t total = 0;
  while (const std::size_t n = co_await socket.recv(std::as_writable_bytes(std::span(memory))))
    total += n;
  co_return total;
}

TEST(ServerClose, wait_closed_waits_until_what_the_handlers_wrote_has_been_sent) {
  kit::on_loops([]() -> Coro<> {
    for (const bool closes : {true, false}) {
      std::atomic<bool> ended = false;
      auto handler = [&](StreamReader, StreamWriter writer) -> Coro<> {
        writer.write(std::string(much, 'x'));
        if (closes) writer.close();
        ended = true;
        co_return;
      };
      auto server = co_await coil::start_server(handler, "127.0.0.1", 0);
      const auto client = co_await connect_to(server);
      co_await kit::until([&] { return ended.load(); });
      server.close();
      auto closed = coil::create_task(server.wait_closed());
      co_await coil::sleep(5ms);
      EXPECT_FALSE(closed.done()) << "most of it has not been sent";
      EXPECT_EQ(co_await count_to_the_end(client), much);
      co_await closed;
      co_await client.close();
    }
  });
}

TEST(ServerClose, a_connection_whose_handler_has_ended_can_still_be_aborted) {
  kit::on_loops([]() -> Coro<> {
    std::atomic<bool> ended = false;
    auto handler = [&](StreamReader, StreamWriter writer) -> Coro<> {
      writer.write(std::string(much, 'x'));
      ended = true;
      co_return;
    };
    auto server = co_await coil::start_server(handler, "127.0.0.1", 0);
    const auto client = co_await connect_to(server);  // which never reads
    co_await kit::until([&] { return ended.load(); });
    server.close();
    server.close_clients();
    auto closed = coil::create_task(server.wait_closed());
    co_await coil::sleep(5ms);
    EXPECT_FALSE(closed.done()) << "closing still sends";
    const int before = kit::open_descriptors();
    server.abort_clients();
    co_await coil::wait_for(std::move(closed), 5s);
    EXPECT_EQ(kit::open_descriptors(), before - 1);
    co_await client.close();
  });
}

TEST(ServerClose, streams_that_a_handler_gave_away_still_belong_to_the_server) {
  kit::on_loops([]() -> Coro<> {
    for (const bool abort : {false, true}) {
      coil::Promise<kit::End> given;
      auto handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
        given.set_result(kit::End{reader, writer});
        co_return;
      };
      auto server = co_await coil::start_server(handler, "127.0.0.1", 0);
      const auto client = co_await connect_to(server);
      std::optional<kit::End> end = co_await given.get_future();
      server.close();
      auto closed = coil::create_task(server.wait_closed());
      co_await coil::sleep(2ms);
      EXPECT_FALSE(closed.done());
      abort ? server.abort_clients() : end.reset();  // the last handle closes it
      co_await coil::wait_for(std::move(closed), 5s);
      if (abort) EXPECT_EQ(co_await kit::error_of(end->writer.drain()), ECONNABORTED);
      co_await client.close();
    }
  });
}

// The two ends of a connection's time at its server may come at the same moment, on two loops.
TEST(ServerClose, many_that_end_and_are_aborted_at_the_same_time_all_leave) {
  kit::on_loops([]() -> Coro<> {
    auto handler = [](StreamReader, StreamWriter writer) -> Coro<> {
      writer.write("x");
      co_await coil::sleep(1ms);
    };
    for (int round = 0; round < 20; ++round) {
      auto server = co_await coil::start_server(handler, "127.0.0.1", 0);
      std::vector<coil::Socket> clients;
      for (int i = 0; i < 20; ++i) clients.push_back(co_await connect_to(server));
      server.close();
      co_await coil::sleep(1ms);
      server.abort_clients();
      co_await coil::wait_for(server.wait_closed(), 10s);
      for (const auto& client : clients) co_await client.close();
    }
  });
}

TEST(ServerClose, with_closes_the_server_and_waits_for_its_connections) {
  kit::on_loops([]() -> Coro<> {
    std::atomic<bool> ended = false;
    auto handler = [&](StreamReader reader, StreamWriter) -> Coro<> {
      (void)co_await reader.read();
      ended = true;
    };
    auto client = coil::Socket::tcp();
    const auto port =
        co_await coil::with(co_await coil::start_server(handler, "127.0.0.1", 0),
                            [&](coil::Server& server) -> Coro<std::uint16_t> {
                              const auto chosen = server.port();
                              co_await client.connect(coil::Address("127.0.0.1", chosen));
                              co_await coil::sleep(2ms);
                              (void)client.shutdown(SHUT_WR);
                              co_return chosen;
                            });
    EXPECT_TRUE(ended);
    EXPECT_EQ(co_await kit::error_of(coil::open_connection("127.0.0.1", port)), ECONNREFUSED);
    co_await client.close();
  });
}

TEST(ServerClose, only_one_task_at_a_time_may_await_serve_forever) {
  kit::on_loops([]() -> Coro<> {
    auto server = co_await coil::start_server(kit::echo, "127.0.0.1", 0);
    auto serving = coil::create_task(server.serve_forever());
    co_await coil::sleep(1ms);
    EXPECT_EQ(co_await kit::thrown_by<std::runtime_error>(server.serve_forever()),
              "serve_forever: another task awaits it already");
    server.close();
    co_await serving;
  });
}

}  // namespace
