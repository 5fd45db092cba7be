// digest_server: Coil's demo. README.md beside it says what it does and what it prints.
//
// Invariant: whatever ends it, what was measured until then is printed, and the exit code is true.
#include <fmt/format.h>

#include <chrono>
#include <coil/coil.hpp>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "corpus.hpp"
#include "options.hpp"
#include "phase.hpp"
#include "report.hpp"
#include "sigint.hpp"

namespace demo {
namespace {

constexpr int exit_ok = 0;
constexpr int exit_problems = 1;
constexpr int exit_usage = 2;
constexpr int exit_interrupted = 130;

void say(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

std::string skipped(std::size_t count, const char* why) {
  return count == 0 ? "" : fmt::format(", {} skipped ({})", count, why);
}

coil::Coro<> load_interruptibly(const Options& options, std::size_t loops, Corpus& corpus) {
  const AllowSigint allow;
  corpus = co_await load_corpus(options.roots, options.memory_mib << 20U, loops);
}

Corpus load(const Options& options) {
  coil::Runner runner({.loops = options.loops, .name = "load"});
  const std::size_t loops = runner.loops().size();
  std::string roots;
  for (const auto& root : options.roots) roots += " " + root.string();
  say(fmt::format("loading{} on {} loop{} ...\n", roots, loops, loops == 1 ? "" : "s"));

  const auto begin = coil::Clock::now();
  Corpus corpus;
  runner.run(runner.get_loop().create_task(load_interruptibly(options, loops, corpus)));
  const std::chrono::duration<double> elapsed = coil::Clock::now() - begin;
  say(fmt::format("{} files, {:.1f} MB in {:.1f} s{}{}\n", corpus.files.size(),
                  static_cast<double>(corpus.bytes) / 1e6, elapsed.count(),
                  skipped(corpus.too_large, "beyond --memory or 64 MiB"),
                  skipped(corpus.unreadable, "not readable")));
  return corpus;
}

std::vector<bool> phases_of(Stealing stealing) {
  switch (stealing) {
    case Stealing::On:
      return {true};
    case Stealing::Off:
      return {false};
    case Stealing::Both:
      break;
  }
  return {true, false};
}

int run(const Options& options) {
  std::optional<Corpus> corpus;
  try {
    corpus = load(options);
  } catch (const coil::KeyboardInterrupt&) {
    say("interrupted while loading: nothing was measured\n");
    return exit_interrupted;
  }
  if (corpus->files.empty()) {
    fmt::print(stderr, "digest_server: there is no readable file to send\n");
    return exit_usage;
  }

  std::vector<PhaseResult> results;
  bool interrupted = sigint_is_pending();
  for (const bool stealing : phases_of(options.stealing)) {
    if (interrupted) break;
    results.push_back(Phase(*corpus, options, stealing).measure());
    interrupted = results.back().interrupted || sigint_is_pending();
  }
  if (!results.empty()) say(make_report(results));
  if (interrupted) say("interrupted: the table shows what was measured until then\n");
  for (const auto& result : results)
    if (has_problems(result)) return exit_problems;
  return interrupted ? exit_interrupted : exit_ok;
}

}  // namespace
}  // namespace demo

int main(int argc, char** argv) {
  demo::hold_sigint_back();
  try {
    const auto parsed = demo::parse_options(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    return demo::run(std::get<demo::Options>(parsed));
  } catch (const std::invalid_argument& error) {  // an environment variable of Coil's
    fmt::print(stderr, "digest_server: {}\n", error.what());
    return demo::exit_usage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "digest_server: {}\n", error.what());
    return demo::exit_problems;
  }
}
