// start_server: who serves, what a failing handler does, and how a server ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "net_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;
using coil::StreamReader;
using coil::StreamWriter;

Coro<std::string> ask(std::uint16_t port, std::string text) {
  auto [reader, writer] = co_await coil::open_connection("127.0.0.1", port);
  writer.write(text);
  writer.write_eof();
  std::string answer = co_await reader.read();
  writer.close();
  co_await writer.wait_closed();
  co_return answer;
}

TEST(Server, a_handler_that_throws_is_reported_and_takes_nothing_else_down) {
  kit::on_loops([]() -> Coro<> {
    std::mutex mutex;
    std::vector<std::string> reports;
    coil::get_running_loop().set_exception_handler([&](const coil::ExceptionContext& context) {
      const std::lock_guard lock(mutex);
      reports.push_back(context.message + ": " + coil::detail::describe(context.exception));
    });
    auto handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
      const std::string text = co_await reader.read();
      if (text == "throw") throw std::runtime_error("no such thing");
      writer.write("ok");
    };
    auto server = co_await coil::start_server(handler, "127.0.0.1", 0);
    EXPECT_EQ(co_await ask(server.port(), "throw"), "");
    EXPECT_EQ(co_await ask(server.port(), "fine"), "ok");
    server.close();
    co_await server.wait_closed();
    coil::get_running_loop().set_exception_handler({});
    EXPECT_THAT(reports, testing::ElementsAre(testing::AllOf(
                             testing::StartsWith("Unhandled exception in the handler of 127.0.0.1"),
                             testing::HasSubstr("no such thing"))));
  });
}

TEST(Server, keeps_the_handler_and_its_captures_alive) {
  kit::on_loops([]() -> Coro<> {
    auto start = []() -> Coro<coil::Server> {
      const std::string greeting(100, 'g');
      co_return co_await coil::start_server(
          [greeting](StreamReader, StreamWriter writer) -> Coro<> {
            co_await coil::sleep(1ms);
            writer.write(greeting);
          },
          "127.0.0.1", 0);
    };
    auto server = co_await start();
    EXPECT_EQ(co_await ask(server.port(), ""), std::string(100, 'g'));
  });
}

TEST(Server, every_loop_accepts) {
  coil::RunOptions options;
  options.loops = 4;
  const kit::Watchdog watchdog;
  coil::run(
      []() -> Coro<> {
        std::mutex mutex;
        std::set<unsigned> loops;
        auto handler = [&](StreamReader, StreamWriter writer) -> Coro<> {
          {
            const std::lock_guard lock(mutex);
            loops.insert(coil::get_running_loop().index());
          }
          writer.write("x");
          co_return;
        };
        auto server = co_await coil::start_server(handler, "127.0.0.1", 0);
        // Some are stolen; but with nothing else to do, mostly where they were accepted.
        const auto seen = [&] {
          const std::lock_guard lock(mutex);
          return loops.size();
        };
        for (int i = 0; i < 400 && seen() < 4; ++i) EXPECT_EQ(co_await ask(server.port(), ""), "x");
        EXPECT_EQ(seen(), 4U);
      }(),
      options);
}

TEST(Server, close_stops_accepting_and_wait_closed_waits_for_the_handlers) {
  kit::on_loops([]() -> Coro<> {
    std::atomic<int> running = 0;
    auto handler = [&](StreamReader reader, StreamWriter) -> Coro<> {
      ++running;
      (void)co_await reader.read();
      --running;
    };
    auto server = co_await coil::start_server(handler, "127.0.0.1", 0);
    const auto port = server.port();
    auto [reader, writer] = co_await coil::open_connection("127.0.0.1", port);
    co_await kit::until([&] { return running == 1; });
    auto waiting = coil::create_task(server.wait_closed());
    co_await coil::sleep(1ms);
    EXPECT_TRUE(server.is_serving());
    server.close();
    server.close();
    EXPECT_FALSE(server.is_serving());
    EXPECT_EQ(server.port(), 0);
    EXPECT_TRUE(server.sockets().empty());
    co_await coil::sleep(5ms);
    EXPECT_FALSE(waiting.done()) << "a handler still runs";
    EXPECT_EQ(co_await kit::error_of(coil::open_connection("127.0.0.1", port)), ECONNREFUSED);
    writer.close();
    co_await waiting;
    EXPECT_EQ(running, 0);
    EXPECT_EQ(co_await kit::thrown_by<std::runtime_error>(server.serve_forever()),
              "serve_forever: the server is closed");
  });
}

TEST(Server, the_port_is_free_again_when_it_has_closed) {
  kit::on_loops([]() -> Coro<> {
    auto first = co_await coil::start_server(kit::echo, "127.0.0.1", 0);
    const auto port = first.port();
    EXPECT_EQ(co_await kit::thrown_by<std::system_error>(
                  coil::start_server(kit::echo, "127.0.0.1", port)),
              "bind to 127.0.0.1:" + std::to_string(port) + ": Address already in use");
    EXPECT_EQ(co_await ask(port, "one"), "one");
    first.close();
    co_await first.wait_closed();
    auto second = co_await coil::start_server(kit::echo, "127.0.0.1", port);
    EXPECT_EQ(co_await ask(port, "two"), "two");
  });
}

TEST(Server, two_servers_may_share_a_port_if_both_say_so) {
  kit::on_loops([]() -> Coro<> {
    auto first = co_await coil::start_server(kit::echo, "127.0.0.1", 0, {.reuse_port = true});
    auto second =
        co_await coil::start_server(kit::echo, "127.0.0.1", first.port(), {.reuse_port = true});
    EXPECT_EQ(co_await ask(first.port(), "x"), "x");
  });
}

TEST(Server, close_clients_and_abort_clients_end_every_connection) {
  kit::on_loops([]() -> Coro<> {
    for (const bool abort : {false, true}) {
      std::atomic<int> running = 0;
      auto handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
        writer.write("hello");
        ++running;
        (void)co_await reader.read();
        --running;
      };
      auto server = co_await coil::start_server(handler, "127.0.0.1", 0);
      std::vector<coil::Task<std::string>> clients;
      for (int i = 0; i < 20; ++i)
        clients.push_back(coil::create_task([&]() -> Coro<std::string> {
          auto [reader, writer] = co_await coil::open_connection("127.0.0.1", server.port());
          co_return co_await reader.read();
        }));
      co_await kit::until([&] { return running == 20; });
      co_await coil::sleep(2ms);
      server.close();
      abort ? server.abort_clients() : server.close_clients();
      co_await server.wait_closed();
      EXPECT_EQ(running, 0);
      for (auto& client : clients) EXPECT_EQ(co_await client, "hello");
    }
  });
}

TEST(Server, one_that_is_dropped_stops) {
  kit::on_loops([]() -> Coro<> {
    std::uint16_t port = 0;
    {
      auto server = co_await coil::start_server(kit::echo, "127.0.0.1", 0);
      port = server.port();
    }
    co_await kit::until([&] { return coil::all_tasks().size() == 1; });
    EXPECT_EQ(co_await kit::error_of(coil::open_connection("127.0.0.1", port)), ECONNREFUSED);
  });
}

TEST(Server, serve_forever_that_is_cancelled_closes_the_server_and_its_connections) {
  kit::on_loops([]() -> Coro<> {
    auto stuck = [](StreamReader, StreamWriter) -> Coro<> { co_await coil::sleep_forever(); };
    auto server = co_await coil::start_server(stuck, "127.0.0.1", 0);
    auto serving = coil::create_task(server.serve_forever());
    auto [reader, writer] = co_await coil::open_connection("127.0.0.1", server.port());
    co_await coil::sleep(2ms);
    serving.cancel();
    co_await kit::thrown_by<coil::CancelledError>(serving);
    EXPECT_EQ(co_await reader.read(), "");
    EXPECT_FALSE(server.is_serving());
  });
}

TEST(Server, serve_forever_ends_when_somebody_closes_the_server) {
  kit::on_loops([]() -> Coro<> {
    auto server = co_await coil::start_server(kit::echo, "127.0.0.1", 0);
    auto serving = coil::create_task(server.serve_forever());
    co_await coil::sleep(1ms);
    server.close();
    co_await serving;
  });
}

// What is left when main returns is cancelled; nothing may hang or leak.
TEST(Server, may_be_running_when_the_program_ends) {
  const int before = kit::open_descriptors();
  kit::on_loops([]() -> Coro<> {
    auto* server = new coil::Server(co_await coil::start_server(kit::echo, "127.0.0.1", 0));
    auto [reader, writer] = co_await coil::open_connection("127.0.0.1", server->port());
    writer.write("x");
    EXPECT_EQ(co_await reader.readexactly(1), "x");
    coil::create_task([server]() -> Coro<> {
      const std::unique_ptr<coil::Server> owner(server);
      co_await coil::sleep_forever();
    });
  });
  EXPECT_EQ(kit::open_descriptors(), before);
}

}  // namespace
