// What every echo server is given on its command line, and what it answers once it listens.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "../../kit/command_line.hpp"

namespace echo_bench {

struct ServerArguments {
  std::string host;
  std::uint16_t port = 0;

  static ServerArguments parse(int argc, char** argv) {
    bench::CommandLine line(argc, argv,
                            {{"host", "127.0.0.1", "numeric address to listen on"},
                             {"port", "0", "port to listen on; 0 takes a free one"}});
    return {line.text("host"), line.number<std::uint16_t>("port", 0, 65535)};
  }
};

// The line that run.py waits for before it starts the load.
inline void announce(const std::string& host, unsigned port) {
  std::printf("listening on %s port %u\n", host.c_str(), port);
  std::fflush(stdout);
}

}  // namespace echo_bench
