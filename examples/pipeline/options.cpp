#include "options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace pipeline {
namespace {

constexpr int usage_error = 2;

constexpr const char* description =
    "Reads files through the ring, compresses them on compute threads, has each inspected in a\n"
    "process that crashes now and then, and records each in SQLite. Nothing may be lost.\n"
    "Exit code: 0, 1 if the sums differ or something failed that should not, 2 for bad options,\n"
    "130 after Ctrl-C.";

void add_options(CLI::App& app, Options& options) {
  app.add_option("--root", options.roots,
                 "a directory whose files are taken (repeatable; default: /usr/include)")
      ->allow_extra_args(false);
  app.add_option("--files", options.files_max, "how many files at most")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  app.add_option("--file-mib", options.bytes_max, "larger files are left out")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--database", options.database, "the SQLite file that gets a row per file")
      ->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "files that are under way at the same time")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--loops", options.loops, "event loops; 0: one per processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--workers", options.workers, "processes that inspect")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--crash-percent", options.crash_percent, "inspections that crash on purpose")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option("--retries", options.retries, "how often a crashed inspection is tried again")
      ->check(CLI::Range(0, 1'000))
      ->capture_default_str();
  app.add_option("--level", options.level, "of zstd")
      ->check(CLI::Range(1, 19))
      ->capture_default_str();
}

void check(Options& options) {
  if (options.roots.empty()) options.roots = {"/usr/include"};
  for (const auto& root : options.roots)
    if (!std::filesystem::is_directory(root))
      throw CLI::ValidationError("--root", fmt::format("{} is no directory", root.string()));
}

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
  CLI::App app(description, "pipeline");
  Options options;
  add_options(app, options);
  try {
    app.parse(argc, argv);
    check(options);
    return options;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : usage_error;
  }
}

}  // namespace pipeline
