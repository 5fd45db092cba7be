// pipeline without any concurrency: a pair of sockets, and one thread that sends, receives,
// computes, answers and receives in turn. What the system calls and the computing cost by
// themselves.
#include <sys/socket.h>
#include <unistd.h>

#include "../work.hpp"

namespace {

bool send_all(int fd, const char* data, std::size_t size) {
  return ::send(fd, data, size, 0) == static_cast<ssize_t>(size);
}
bool receive_all(int fd, char* data, std::size_t size) {
  return ::recv(fd, data, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

bool request(int client, int server, const bench::Requests::Request& request) {
  std::array<char, bench::block_size> block;
  if (!send_all(client, request.block.data(), block.size())) return false;
  if (!receive_all(server, block.data(), block.size())) return false;
  const std::uint64_t sum = bench::digest(block.data());
  if (!send_all(server, reinterpret_cast<const char*>(&sum), sizeof sum)) return false;
  std::uint64_t answer = 0;
  return receive_all(client, reinterpret_cast<char*>(&answer), sizeof answer) &&
         answer == request.digest;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("pipeline", "serial", argc, argv, 20'000);
  const bench::Requests requests;
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return 1;
  bool right = true;
  program.start();
  for (int connection = 0; connection < bench::pipeline_connections; ++connection)
    for (long i = 0; i < bench::requests_of(connection, program.size()); ++i)
      right = request(pair[0], pair[1], requests.of(connection, i)) && right;
  program.stop();
  ::close(pair[0]);
  ::close(pair[1]);
  return program.finish(program.size(), right);
}
