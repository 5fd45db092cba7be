// open_connection: names, limits of time, and several addresses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <connector.hpp>
#include <string>

#include "net_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Address;
using coil::Coro;

TEST(OpenConnection, a_refused_connection_says_where_it_was_to_go) {
  kit::on_loops([]() -> Coro<> {
    auto server = co_await coil::start_server(kit::echo, "127.0.0.1", 0);
    const auto port = server.port();
    server.close();
    co_await server.wait_closed();
    EXPECT_EQ(co_await kit::thrown_by<std::system_error>(coil::open_connection("127.0.0.1", port)),
              "connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
    // All addresses of a name are tried, and all reasons told.
    EXPECT_THAT(
        co_await kit::thrown_by<std::system_error>(coil::open_connection("localhost", port)),
        testing::HasSubstr("connect to 127.0.0.1:" + std::to_string(port) +
                           ": Connection refused"));
  });
}

TEST(OpenConnection, a_name_that_does_not_resolve_is_named) {
  kit::on_loops([]() -> Coro<> {
    EXPECT_THAT(co_await kit::thrown_by<std::system_error>(
                    coil::open_connection("no-such-host.invalid", 80)),
                testing::StartsWith("getaddrinfo of 'no-such-host.invalid': "));
    EXPECT_EQ(co_await kit::thrown_by<std::invalid_argument>(coil::open_connection("", 80)),
              "'' is no host name");
  });
}

TEST(OpenConnection, a_timeout_ends_the_attempt_and_leaves_nothing_open) {
  kit::on_loops([]() -> Coro<> {
    const auto full = co_await kit::full_listener();
    const int before = kit::open_descriptors();
    co_await kit::thrown_by<coil::TimeoutError>(
        coil::open_connection("127.0.0.1", full.address().port(), {.timeout = 5ms}));
    EXPECT_EQ(kit::open_descriptors(), before);
    auto attempt = coil::create_task(coil::open_connection("127.0.0.1", full.address().port()));
    co_await coil::sleep(2ms);
    attempt.cancel();
    co_await kit::thrown_by<coil::CancelledError>(attempt);
    EXPECT_EQ(kit::open_descriptors(), before);
  });
}

TEST(OpenConnection, happy_eyeballs_tries_the_next_address_beside_one_that_does_not_answer) {
  kit::on_loops([]() -> Coro<> {
    const auto full = co_await kit::full_listener();
    const auto refused = [] {
      const auto socket = coil::Socket::tcp();
      socket.bind(Address("127.0.0.1", 0));
      return socket.local_address();
    }();
    auto server = co_await coil::start_server(kit::echo, "127.0.0.1", 0);
    const Address good("127.0.0.1", server.port());
    const int before = kit::open_descriptors();
    {
      auto socket = co_await coil::wait_for(
          coil::detail::connect_to_any({full.address(), refused, good}, 5ms), 10s);
      EXPECT_EQ(socket.remote_address(), good);
    }
    co_await kit::until([&] { return kit::open_descriptors() <= before; });
    // All may connect before anybody is told to stop: one is kept.
    for (int round = 0; round < 50; ++round) {
      auto socket = co_await coil::detail::connect_to_any({good, good, good}, 0ms);
      co_await socket.close();
    }
    co_await kit::until([&] { return kit::open_descriptors() <= before; });
    // A refusal does not wait for the delay.
    auto socket = co_await coil::wait_for(coil::detail::connect_to_any({refused, good}, 1h), 10s);
    EXPECT_EQ(socket.remote_address(), good);
  });
}

TEST(OpenConnection, happy_eyeballs_fails_with_every_reason_and_can_be_cancelled) {
  kit::on_loops([]() -> Coro<> {
    const auto full = co_await kit::full_listener();
    std::vector<Address> refused;
    {
      std::vector<coil::Socket> sockets;
      for (int i = 0; i < 2; ++i) {
        sockets.push_back(coil::Socket::tcp());
        sockets.back().bind(Address("127.0.0.1", 0));
        refused.push_back(sockets.back().local_address());
      }
    }
    const auto text =
        co_await kit::thrown_by<std::system_error>(coil::detail::connect_to_any(refused, 1ms));
    for (const auto& address : refused)
      EXPECT_THAT(text, testing::HasSubstr(address.to_string() + ": Connection refused"));
    const int before = kit::open_descriptors();
    auto race = coil::create_task(
        coil::detail::connect_to_any({full.address(), refused[0], full.address()}, 1ms));
    co_await coil::sleep(10ms);
    EXPECT_FALSE(race.done());
    race.cancel();
    co_await kit::thrown_by<coil::CancelledError>(race);
    EXPECT_EQ(kit::open_descriptors(), before);
  });
}

TEST(OpenConnection, happy_eyeballs_ends_if_somebody_else_cancels_its_attempts) {
  kit::on_loops([]() -> Coro<> {
    const auto full = co_await kit::full_listener();
    // Early: before they have started, perhaps; late: while they wait.
    for (int round = 0; round < 8; ++round) {
      auto race =
          coil::create_task(coil::detail::connect_to_any({full.address(), full.address()}, 0ms));
      for (int i = 0; i < round; ++i) co_await kit::yield();
      if (round == 7) co_await coil::sleep(5ms);
      co_await kit::until([&] { return coil::all_tasks().size() > 2; });
      while (!race.done()) {
        for (const auto& task : coil::all_tasks())
          if (task != coil::current_task() && task != coil::TaskRef(race)) task.cancel();
        co_await coil::sleep(1ms);
      }
      EXPECT_THAT(co_await kit::thrown_by<std::system_error>(race),
                  testing::HasSubstr("Operation canceled"));
    }
  });
}

}  // namespace
