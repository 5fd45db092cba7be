// pipeline on Asio: coroutines over TCP, one context that all threads run.
#include <array>
#include <asio.hpp>
#include <atomic>
#include <thread>

#include "../work.hpp"

namespace {

using Executor = asio::io_context::executor_type;
using Token = asio::use_awaitable_t<Executor>;
using Socket = Token::as_default_on_t<asio::basic_stream_socket<asio::ip::tcp, Executor>>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
template <typename T = void>
using Coroutine = asio::awaitable<T, Executor>;
constexpr Token use_awaitable;

Coroutine<> handle(Socket socket) try {
  std::array<char, bench::block_size> block;
  for (;;) {
    co_await asio::async_read(socket, asio::buffer(block));
    const std::string answer = bench::as_bytes(bench::digest(block.data()));
    co_await asio::async_write(socket, asio::buffer(answer));
  }
} catch (const asio::system_error&) {
  // The client has closed the connection.
}

Coroutine<> accept(Acceptor& acceptor) try {
  for (;;) {
    Socket socket(co_await acceptor.async_accept(use_awaitable));
    socket.set_option(asio::ip::tcp::no_delay(true));
    asio::co_spawn(acceptor.get_executor(), handle(std::move(socket)), asio::detached);
  }
} catch (const asio::system_error&) {
  // It was closed.
}

struct Exchange {
  const bench::Requests& requests;
  asio::ip::tcp::endpoint server;
  Acceptor& acceptor;
  long size;
  std::atomic<int> left{bench::pipeline_connections};
  std::atomic<bool> right{true};

  Coroutine<> client(int connection) {
    Socket socket(acceptor.get_executor());
    co_await socket.async_connect(server);
    socket.set_option(asio::ip::tcp::no_delay(true));
    std::string answer(bench::digest_size, '\0');
    for (long i = 0; i < bench::requests_of(connection, size); ++i) {
      const auto& request = requests.of(connection, i);
      co_await asio::async_write(socket, asio::buffer(request.block));
      co_await asio::async_read(socket, asio::buffer(answer));
      if (answer != bench::as_bytes(request.digest)) right = false;
    }
    if (--left == 0) asio::post(acceptor.get_executor(), [this] { acceptor.close(); });
  }
};

bool exchange(const bench::Requests& requests, int threads, long size) {
  asio::io_context context(threads);
  Acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  Exchange work{requests, acceptor.local_endpoint(), acceptor, size};
  asio::co_spawn(context, accept(acceptor), asio::detached);
  for (int connection = 0; connection < bench::pipeline_connections; ++connection)
    asio::co_spawn(context, work.client(connection), asio::detached);
  std::vector<std::jthread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back([&] { context.run(); });
  context.run();
  return work.right && work.left == 0;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("pipeline", "asio", argc, argv, 20'000);
  const bench::Requests requests;
  bool right = exchange(requests, program.threads(), bench::pipeline_connections);
  program.start();
  right = exchange(requests, program.threads(), program.size()) && right;
  program.stop();
  return program.finish(program.size(), right);
}
