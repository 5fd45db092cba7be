// pipeline on Coil: streams over TCP; a heavy request's parts are computed by whichever loops have
// nothing else to do.
#include <coil/net.hpp>
#include <coil/parallel.hpp>
#include <coil/run.hpp>
#include <coil/task_group.hpp>
#include <functional>

#include "../work.hpp"

namespace {

coil::Coro<std::uint64_t> digest(const std::string& block) {
  co_return co_await coil::parallel_reduce(
      std::uint64_t{0}, bench::parts_of(block.data()), 1, std::uint64_t{0},
      [&](std::uint64_t part) { return bench::digest_part(block.data(), part); }, std::plus());
}

coil::Coro<> handle(coil::StreamReader reader, coil::StreamWriter writer) {
  try {
    for (;;) {
      const std::string block = co_await reader.readexactly(bench::block_size);
      writer.write(bench::as_bytes(co_await digest(block)));
      co_await writer.drain();
    }
  } catch (const coil::IncompleteReadError&) {
    // The client has closed the connection.
  }
}

coil::Coro<bool> client(const bench::Requests& requests, int connection, std::uint16_t port,
                        long size) {
  auto [reader, writer] = co_await coil::open_connection("127.0.0.1", port);
  bool right = true;
  for (long i = 0; i < bench::requests_of(connection, size); ++i) {
    const auto& request = requests.of(connection, i);
    writer.write(request.block);
    co_await writer.drain();
    const std::string answer = co_await reader.readexactly(bench::digest_size);
    right = right && answer == bench::as_bytes(request.digest);
  }
  co_return right;
}

coil::Coro<bool> exchange(const bench::Requests& requests, std::uint16_t port, long size) {
  bool right = true;
  std::vector<coil::Task<bool>> clients;
  co_await coil::with_task_group([&](coil::TaskGroup& group) -> coil::Coro<> {
    for (int connection = 0; connection < bench::pipeline_connections; ++connection)
      clients.push_back(group.create_task(client(requests, connection, port, size)));
    co_return;
  });
  for (const auto& task : clients) right = task.result() && right;
  co_return right;
}

coil::Coro<bool> measured(bench::Program& program) {
  const bench::Requests requests;
  const coil::Server server = co_await coil::start_server(handle, "127.0.0.1", 0);
  bool right = co_await exchange(requests, server.port(), bench::pipeline_connections);
  program.start();
  right = co_await exchange(requests, server.port(), program.size()) && right;
  program.stop();
  co_return right;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("pipeline", "coil", argc, argv, 20'000);
  const bool right = coil::run(measured(program), {.loops = program.threads()});
  return program.finish(program.size(), right);
}
