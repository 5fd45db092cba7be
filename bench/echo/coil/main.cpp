// The echo server on Coil: streams, as a user would write it, on one loop.
#include <signal.h>

#include <coil/net.hpp>
#include <coil/run.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "../common/server_arguments.hpp"

namespace {

coil::Coro<> echo(coil::StreamReader reader, coil::StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(64 * 1024);
    if (data.empty()) co_return;
    writer.write(data);
    co_await writer.drain();
  }
}

coil::Coro<> serve(std::string host, std::uint16_t port) {
  const coil::Server server = co_await coil::start_server(echo, host, port, {.backlog = 4096});
  echo_bench::announce(host, server.port());
  co_await server.serve_forever();
}

}  // namespace

int main(int argc, char** argv) try {
  const auto arguments = echo_bench::ServerArguments::parse(argc, argv);
  // SIGTERM ends the run as SIGINT does: by cancelling the main task, which closes everything.
  ::signal(SIGTERM, [](int) { ::raise(SIGINT); });
  coil::run(serve(arguments.host, arguments.port), {.loops = 1, .pin = false});
} catch (const coil::KeyboardInterrupt&) {
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return 1;
}
