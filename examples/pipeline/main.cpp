// pipeline: reading, computing, isolated and blocking work side by side. README.md says what it
// does and what it prints.
//
// Invariant: the exit code is 0 only if every file that went in is in the table.
#include <fmt/format.h>

#include <coil/coil.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "ledger.hpp"
#include "line.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "totals.hpp"

namespace pipeline {
namespace {

namespace fs = std::filesystem;

constexpr int exit_ok = 0;
constexpr int exit_lost = 1;
constexpr int exit_interrupted = 130;

// Blocks: for a thread.
std::vector<fs::path> find_files(const Options& options) {
  std::vector<fs::path> files;
  for (const auto& root : options.roots) {
    constexpr auto skip = fs::directory_options::skip_permission_denied;
    for (const auto& entry : fs::recursive_directory_iterator(root, skip)) {
      if (files.size() == options.files_max) return files;
      std::error_code unreadable;
      if (!entry.is_regular_file(unreadable) || entry.is_symlink(unreadable)) continue;
      if (entry.file_size(unreadable) > options.bytes_max << 20U || unreadable) continue;
      files.push_back(entry.path());
    }
  }
  return files;
}

struct Outcome {
  std::size_t files = 0;
  double seconds = 0;
};

coil::Coro<> work(const Options& options, Ledger& ledger, Totals& totals, Outcome& outcome) {
  auto files = co_await coil::to_thread(find_files, options);
  outcome.files = files.size();
  const auto begin = coil::Clock::now();
  const auto progress = coil::create_task(show_progress(totals, files.size()));
  Line line(options, std::move(files), ledger, totals);
  co_await line.run();
  outcome.seconds = std::chrono::duration<double>(coil::Clock::now() - begin).count();
  progress.cancel();
  co_await coil::wait({progress});
}

int run(const Options& options) {
  Ledger ledger(options.database);
  Totals totals;
  Outcome outcome;
  try {
    coil::run(work(options, ledger, totals, outcome), {.loops = options.loops});
  } catch (const coil::KeyboardInterrupt&) {
    fmt::print("interrupted: {} files were recorded\n", ledger.sums().rows);
    return exit_interrupted;
  }
  const Sums sums = ledger.sums();
  fmt::print("{}", make_report(totals, sums, outcome.seconds));
  const std::string lost = what_was_lost(totals, sums, outcome.files);
  fmt::print("{}", lost.empty() ? "nothing was lost\n" : lost);
  return lost.empty() ? exit_ok : exit_lost;
}

}  // namespace
}  // namespace pipeline

int main(int argc, char** argv) {
  try {
    const auto parsed = pipeline::parse_options(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    return pipeline::run(std::get<pipeline::Options>(parsed));
  } catch (const std::exception& error) {
    fmt::print(stderr, "pipeline: {}\n", error.what());
    return pipeline::exit_lost;
  }
}
