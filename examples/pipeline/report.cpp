#include "report.hpp"

#include <fmt/format.h>

namespace pipeline {
namespace {

std::string stage_line(const char* name, const char* where, const Stage& stage, double seconds) {
  const auto megabytes = static_cast<double>(stage.bytes) / 1e6;
  const std::uint64_t calls = stage.calls;
  const double each_ms = calls == 0 ? 0 : static_cast<double>(stage.ns) / 1e6 / double(calls);
  return fmt::format("{:<10}{:<18}{:>8}{:>11.1f}{:>11.1f}{:>12.2f}\n", name, where, calls,
                     megabytes, megabytes / seconds, each_ms);
}

}  // namespace

std::string make_report(const Totals& totals, const Sums& sums, double seconds) {
  std::string text = fmt::format("{:<10}{:<18}{:>8}{:>11}{:>11}{:>12}\n", "stage", "where", "calls",
                                 "MB", "MB/s", "ms each");
  text += stage_line("read", "the ring", totals.read, seconds);
  text += stage_line("compress", "compute threads", totals.compress, seconds);
  text += stage_line("inspect", "processes", totals.inspect, seconds);
  text += stage_line("record", "one thread", totals.record, seconds);
  text += fmt::format(
      "{} files, {:.1f} MB, compressed {:.1f} MB, {} lines in {:.2f} s; {} crashes, {} files that "
      "failed\n",
      sums.rows, static_cast<double>(sums.bytes) / 1e6, static_cast<double>(sums.compressed) / 1e6,
      sums.lines, seconds, sums.crashes, sums.failed);
  return text;
}

std::string what_was_lost(const Totals& totals, const Sums& sums, std::size_t files) {
  std::string text;
  const auto compare = [&](const char* what, std::uint64_t in, std::uint64_t recorded) {
    if (in != recorded)
      text += fmt::format("{}: {} went in, {} were recorded\n", what, in, recorded);
  };
  compare("files", files, sums.rows);
  compare("bytes", totals.read.bytes, sums.bytes);
  compare("crashes", totals.crashes, sums.crashes);
  compare("failures", totals.failed, sums.failed);
  return text;
}

}  // namespace pipeline
