// The echo server on standalone Asio, with C++20 coroutines, one thread, Asio's own reactor.
//
// Asio at its best: the executor's type is known at compile time (no type-erased any_io_executor)
// and the context is told that one thread runs it.
#include <array>
#include <asio.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>

#include "../common/server_arguments.hpp"

namespace {

using Executor = asio::io_context::executor_type;
using Token = asio::use_awaitable_t<Executor>;
using Socket = Token::as_default_on_t<asio::basic_stream_socket<asio::ip::tcp, Executor>>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;
template <typename T = void>
using Coroutine = asio::awaitable<T, Executor>;

Coroutine<> echo(Socket socket) try {
  std::array<char, 2048> buffer;
  for (;;) {
    std::size_t n = co_await socket.async_read_some(asio::buffer(buffer));
    co_await asio::async_write(socket, asio::buffer(buffer, n));
  }
} catch (const asio::system_error&) {
  // The peer closed or reset its connection; the socket closes with this coroutine.
}

Coroutine<> serve(Acceptor& acceptor) {
  Timer pause(acceptor.get_executor());
  for (;;) {
    asio::error_code error;
    Socket socket(co_await acceptor.async_accept(asio::redirect_error(Token(), error)));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {  // out of descriptors, most likely: at once, it would spin
      pause.expires_after(std::chrono::milliseconds(50));
      co_await pause.async_wait(asio::redirect_error(Token(), error));
      continue;
    }
    socket.set_option(asio::ip::tcp::no_delay(true), error);
    asio::co_spawn(acceptor.get_executor(), echo(std::move(socket)), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  auto arguments = echo_bench::ServerArguments::parse(argc, argv);
  asio::io_context context(1);
  asio::ip::tcp::endpoint endpoint(asio::ip::make_address(arguments.host), arguments.port);
  Acceptor acceptor(context.get_executor(), endpoint.protocol());
  acceptor.set_option(asio::socket_base::reuse_address(true));
  acceptor.bind(endpoint);
  acceptor.listen(4096);
  asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](asio::error_code, int) { context.stop(); });
  asio::co_spawn(context.get_executor(), serve(acceptor), asio::detached);
  echo_bench::announce(arguments.host, acceptor.local_endpoint().port());
  context.run();
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return 1;
}
