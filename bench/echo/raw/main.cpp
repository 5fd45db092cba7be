// The echo server on bare liburing. See server.hpp.
#include <cstdio>
#include <exception>

#include "../common/server_arguments.hpp"
#include "listener.hpp"
#include "server.hpp"

int main(int argc, char** argv) try {
  auto arguments = echo_bench::ServerArguments::parse(argc, argv);
  auto listener = echo_bench::listen_on(arguments.host, arguments.port);
  echo_bench::Server server(listener.fd);
  std::fprintf(stderr, "io_uring: %s\n", server.ring_mode());
  echo_bench::announce(arguments.host, listener.port);
  server.run();
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return 1;
}
