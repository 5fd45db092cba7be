// The load generator: drives an echo server, checks every byte, prints one line of JSON.
//
// With --idle 1 it measures memory instead: what the server's resident memory grows by for each of
// N connections that were used once and now do nothing.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>

#include "../../kit/command_line.hpp"
#include "load.hpp"

namespace echo_bench {
namespace {

constexpr unsigned kWarmConnections = 64;

void print(const LoadOptions& options, const LoadResult& result) {
  const double requests = double(result.latency.total());
  const double ticks = double(result.server.user_ticks + result.server.kernel_ticks);
  const double cpu_s = double(result.server.cpu_ns) / 1e9;
  auto us = [&](double share) { return double(result.latency.percentile(share)) / 1e3; };
  std::printf("{\"connections\": %u, \"pipeline\": %u, \"size\": %u, \"seconds\": %.3f, ",
              options.connections, options.pipeline, options.size, result.seconds);
  std::printf("\"requests\": %.0f, \"requests_per_s\": %.1f, ", requests,
              requests / result.seconds);
  std::printf("\"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, \"max_us\": %.2f, ", us(0.5),
              us(0.99), us(0.999), double(result.latency.largest()) / 1e3);
  if (options.server_pid != 0) {
    std::printf("\"server_cpu_us_per_request\": %.4f, \"server_cpu_share\": %.4f, ",
                cpu_s * 1e6 / requests, cpu_s / result.seconds);
    std::printf("\"server_user_share\": %.3f, \"server_sleeps_per_request\": %.5f, ",
                ticks > 0 ? double(result.server.user_ticks) / ticks : 0.0,
                double(result.server.sleeps) / requests);
  }
  std::printf("\"load_cpu_share\": %.4f, \"starved_connections\": %u}\n",
              result.load_cpu_seconds / result.seconds, result.starved);
}

void measure_idle(LoadOptions options) {
  auto settle = [] { std::this_thread::sleep_for(std::chrono::milliseconds(500)); };
  LoadOptions warm_options = options;
  warm_options.connections = kWarmConnections;
  Load warm(warm_options);  // what every server needs once is not counted
  warm.connect();
  warm.touch_all();
  settle();
  const std::uint64_t before = resident_bytes(options.server_pid);
  Load load(options);
  load.connect();
  load.touch_all();
  settle();
  const std::uint64_t after = resident_bytes(options.server_pid);
  std::printf("{\"idle_connections\": %u, \"rss_before\": %lu, \"rss_after\": %lu, ",
              options.connections, before, after);
  std::printf("\"bytes_per_connection\": %.1f}\n",
              (double(after) - double(before)) / options.connections);
}

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void run(int argc, char** argv) {
  bench::CommandLine line(argc, argv,
                          {{"host", "127.0.0.1", "numeric address of the server"},
                           {"port", "", "its port"},
                           {"connections", "1", "connections, all of them always busy"},
                           {"pipeline", "1", "messages that a connection sends in one go"},
                           {"size", "64", "bytes of a message"},
                           {"seconds", "5", "length of the measured window"},
                           {"warmup", "1", "seconds of load before it"},
                           {"server-pid", "0", "process whose processor time is measured"},
                           {"idle", "0", "1: measure memory per idle connection instead"}});
  LoadOptions options;
  options.host = line.text("host");
  options.port = line.number<std::uint16_t>("port", 1, 65535);
  options.connections = line.number<unsigned>("connections", 1, 1'000'000);
  options.pipeline = line.number<unsigned>("pipeline", 1, 65536);
  options.size = line.number<unsigned>("size", 1, 1u << 20);
  options.seconds = line.number<double>("seconds", 0.01, 86400);
  options.warmup = line.number<double>("warmup", 0, 86400);
  options.server_pid = line.number<pid_t>("server-pid", 0, std::numeric_limits<pid_t>::max());
  raise_descriptor_limit();
  if (line.number<int>("idle", 0, 1) == 1) {
    line.number<pid_t>("server-pid", 1, std::numeric_limits<pid_t>::max());
    return measure_idle(options);
  }
  Load load(options);
  load.connect();
  print(options, load.run());
}

}  // namespace
}  // namespace echo_bench

int main(int argc, char** argv) try {
  echo_bench::run(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return 1;
}
