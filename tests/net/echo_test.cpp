// A server, its handlers, and what goes through a connection.
#include <gtest/gtest.h>

#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <string>
#include <vector>

#include "net_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;
using coil::StreamReader;
using coil::StreamWriter;
using kit::echo;

Coro<> say_and_check(std::uint16_t port, std::string host, std::string text) {
  auto [reader, writer] = co_await coil::open_connection(host, port);
  writer.write(text);
  co_await writer.drain();
  writer.write_eof();
  EXPECT_EQ(co_await reader.read(), text);
  EXPECT_TRUE(reader.at_eof());
  writer.close();
  co_await writer.wait_closed();
}

TEST(Echo, what_a_client_sends_comes_back) {
  kit::on_loops([]() -> Coro<> {
    auto server = co_await coil::start_server(echo, "127.0.0.1", 0);
    EXPECT_NE(server.port(), 0);
    co_await say_and_check(server.port(), "127.0.0.1", "hello");
    co_await say_and_check(server.port(), "localhost", "");
    server.close();
    co_await server.wait_closed();
  });
}

TEST(Echo, works_over_ipv6_and_over_all_interfaces) {
  kit::on_loops([]() -> Coro<> {
    auto six = co_await coil::start_server(echo, "::1", 0);
    co_await say_and_check(six.port(), "::1", "six");
    auto all = co_await coil::start_server(echo, "", 0);
    EXPECT_EQ(all.sockets().size(), 2U);
    EXPECT_EQ(all.sockets()[0].port(), all.sockets()[1].port());
    co_await say_and_check(all.port(), "::1", "both");
    co_await say_and_check(all.port(), "127.0.0.1", "both");
  });
}

TEST(Echo, a_large_stream_goes_through_unharmed) {
  kit::on_loops([]() -> Coro<> {
    auto server = co_await coil::start_server(echo, "127.0.0.1", 0);
    auto [reader, writer] = co_await coil::open_connection("127.0.0.1", server.port());
    const std::string text = kit::pattern(8 << 20);
    auto send = coil::create_task([&]() -> Coro<> {
      for (std::size_t at = 0; at < text.size(); at += 10'000) {
        writer.write(std::string_view(text).substr(at, 10'000));
        co_await writer.drain();
      }
      writer.write_eof();
    });
    EXPECT_TRUE(co_await reader.readexactly(text.size()) == text);
    EXPECT_EQ(co_await reader.read(), "");
    co_await send;
  });
}

TEST(Echo, one_write_larger_than_every_buffer_arrives_whole) {
  kit::on_loops([]() -> Coro<> {
    auto server = co_await coil::start_server(echo, "127.0.0.1", 0);
    auto [reader, writer] = co_await coil::open_connection("127.0.0.1", server.port());
    const std::string text = kit::pattern(20 << 20);
    writer.write("<");
    writer.write(text);
    writer.write(">");
    EXPECT_EQ(co_await reader.readexactly(1), "<");
    EXPECT_TRUE(co_await reader.readexactly(text.size()) == text);
    EXPECT_EQ(co_await reader.readexactly(1), ">");
  });
}

TEST(Echo, a_thousand_connections_at_once) {
  kit::on_loops([]() -> Coro<> {
    const int fds = kit::open_descriptors();
    {
      auto server = co_await coil::start_server(echo, "127.0.0.1", 0);
      std::vector<coil::Task<>> clients;
      for (int i = 0; i < 1000; ++i)
        clients.push_back(
            coil::create_task(say_and_check(server.port(), "127.0.0.1", std::to_string(i))));
      for (auto& client : clients) co_await client;
      server.close();
      co_await server.wait_closed();
    }
    co_await kit::until([&] { return kit::open_descriptors() <= fds; });
  });
}

TEST(Echo, many_messages_in_turn_on_many_connections) {
  kit::on_loops([]() -> Coro<> {
    auto server = co_await coil::start_server(echo, "127.0.0.1", 0);
    auto client = [&](int id) -> Coro<> {
      auto [reader, writer] = co_await coil::open_connection("127.0.0.1", server.port());
      for (int i = 0; i < 200; ++i) {
        const std::string line = std::to_string(id) + ":" + std::to_string(i) + "\n";
        writer.write(line);
        co_await writer.drain();
        EXPECT_EQ(co_await reader.readline(), line);
      }
    };
    std::vector<coil::Task<>> clients;
    for (int i = 0; i < 50; ++i) clients.push_back(coil::create_task(client, i));
    for (auto& task : clients) co_await task;
  });
}

}  // namespace
