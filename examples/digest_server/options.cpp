#include "options.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace demo {
namespace {

constexpr int usage_error = 2;

constexpr const char* description =
    "Streams real files over loopback TCP to a server that answers with the SHA-256 and the word\n"
    "count of each, checks every answer, and compares work stealing with none.\n"
    "Exit code: 0, 1 after a wrong answer or an error, 2 for bad options, 130 after Ctrl-C.";

// Each connection has both of its ends in this process. The soft limit is ours to raise.
void reserve_descriptors(int connections) {
  constexpr rlim_t other = 64;
  const rlim_t needed = 2 * static_cast<rlim_t>(connections) + other;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return;
  if (limit.rlim_max < needed)
    throw CLI::ValidationError(
        "--connections", fmt::format("{} connections need {} file descriptors, the limit is {} "
                                     "(ulimit -Hn)",
                                     connections, needed, limit.rlim_max));
  limit.rlim_cur = needed;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void check(Options& options) {
  // "nan" is neither below nor above the range.
  if (!std::isfinite(options.seconds))
    throw CLI::ValidationError("--seconds", "must be a number from 0.1 to 86400");
  if (options.bulk > options.connections)
    throw CLI::ValidationError("--bulk",
                               fmt::format("there are only {} connections", options.connections));
  for (const auto& root : options.roots)
    if (!std::filesystem::is_directory(root))
      throw CLI::ValidationError("--root", fmt::format("{} is no directory", root.string()));
  if (options.roots.empty()) options.roots = {"/usr/include", "/usr/share/doc"};
  reserve_descriptors(options.connections);
}

// Who sets COIL_STEAL wants that and no comparison.
Stealing stealing_from_environment() {
  const char* text = std::getenv("COIL_STEAL");
  if (text == nullptr || *text == '\0') return Stealing::Both;
  return std::string_view(text) == "0" ? Stealing::Off : Stealing::On;
}

void add_options(CLI::App& app, Options& options) {
  app.add_option("--seconds", options.seconds, "how long each of the two phases lasts")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  app.add_option("--loops", options.loops, "event loops; 0: one per processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--connections", options.connections, "TCP connections")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--bulk", options.bulk,
                 "how many of them stream all files without waiting; 0: one per four loops")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  app.add_option("--pause-ms", options.pause_ms,
                 "the others send one small file at a time and pause after each answer")
      ->check(CLI::Range(0, 60000))
      ->capture_default_str();
  app.add_option("--root", options.roots,
                 "a directory whose files are sent (repeatable; default: /usr/include and "
                 "/usr/share/doc)")
      ->allow_extra_args(false);
  app.add_option("--memory", options.memory_mib, "MiB of files to hold at most; more are skipped")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  const std::map<std::string, Stealing> names{
      {"both", Stealing::Both}, {"on", Stealing::On}, {"off", Stealing::Off}};
  app.add_option("--stealing", options.stealing,
                 "both phases, or one of them: both, on, off (COIL_STEAL=0 or 1 chooses too)")
      ->transform(CLI::CheckedTransformer(names).description(""));
}

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
  CLI::App app(description, "digest_server");
  Options options;
  options.stealing = stealing_from_environment();
  add_options(app, options);
  try {
    app.parse(argc, argv);
    check(options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : usage_error;
  }
  return options;
}

}  // namespace demo
