// The echo server on libuv, one loop. A connection keeps one buffer: it stops reading only when the
// socket takes no more, and then writes the rest in the usual way.
#include <uv.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "../common/server_arguments.hpp"

namespace {

void must(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + uv_strerror(result));
}

struct Connection {
  uv_tcp_t tcp;
  uv_write_t write;
  std::array<char, 2048> buffer;

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }
  void close() {
    uv_close(reinterpret_cast<uv_handle_t*>(&tcp),
             [](uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); });
  }
};

void start_reading(Connection& connection);

void on_write(uv_write_t* request, int status) {
  auto& connection = *static_cast<Connection*>(request->data);
  if (status < 0) return connection.close();
  start_reading(connection);
}

void on_read(uv_stream_t* stream, ssize_t n, const uv_buf_t* read) {
  auto& connection = *static_cast<Connection*>(stream->data);
  if (n == 0) return;  // nothing yet
  if (n < 0) return connection.close();
  uv_buf_t rest = uv_buf_init(read->base, static_cast<unsigned>(n));
  const int sent = uv_try_write(stream, &rest, 1);
  if (sent == n) return;
  if (sent < 0 && sent != UV_EAGAIN) return connection.close();
  if (sent > 0) rest = uv_buf_init(rest.base + sent, static_cast<unsigned>(n - sent));
  uv_read_stop(stream);
  connection.write.data = &connection;
  if (uv_write(&connection.write, stream, &rest, 1, on_write) < 0) connection.close();
}

void start_reading(Connection& connection) {
  const auto give_buffer = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    auto& mine = *static_cast<Connection*>(handle->data);
    *buffer = uv_buf_init(mine.buffer.data(), static_cast<unsigned>(mine.buffer.size()));
  };
  if (uv_read_start(connection.stream(), give_buffer, on_read) < 0) connection.close();
}

void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* connection = new Connection;
  uv_tcp_init(listener->loop, &connection->tcp);
  connection->tcp.data = connection;
  if (uv_accept(listener, connection->stream()) < 0) return connection->close();
  uv_tcp_nodelay(&connection->tcp, 1);
  start_reading(*connection);
}

}  // namespace

int main(int argc, char** argv) try {
  const auto arguments = echo_bench::ServerArguments::parse(argc, argv);
  uv_loop_t* loop = uv_default_loop();
  sockaddr_in address{};
  must(uv_ip4_addr(arguments.host.c_str(), arguments.port, &address), "address");
  uv_tcp_t listener;
  uv_tcp_init(loop, &listener);
  must(uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&address), 0), "bind");
  must(uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 4096, on_connection), "listen");
  int length = sizeof address;
  must(uv_tcp_getsockname(&listener, reinterpret_cast<sockaddr*>(&address), &length), "name");

  uv_signal_t term;
  uv_signal_init(loop, &term);
  uv_signal_start(&term, [](uv_signal_t* signal, int) { uv_stop(signal->loop); }, SIGTERM);
  echo_bench::announce(arguments.host, ntohs(address.sin_port));
  uv_run(loop, UV_RUN_DEFAULT);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return 1;
}
