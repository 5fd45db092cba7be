#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace pipeline {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t bar_width = 40;

std::string progress_line(const Totals& totals, std::size_t files) {
  const std::size_t done = totals.record.calls;
  const std::size_t filled = files == 0 ? bar_width : bar_width * done / files;
  return fmt::format("[{}{}] {}/{} files  {:.1f} MB  {} crashes", std::string(filled, '#'),
                     std::string(bar_width - filled, '.'), done, files,
                     static_cast<double>(totals.record.bytes) / 1e6, totals.crashes.load());
}

// Clears the line, whatever ends the task.
struct TerminalLine {
  ~TerminalLine() {
    std::fputs("\r\033[K", stdout);
    std::fflush(stdout);
  }
};

}  // namespace

coil::Coro<> show_progress(const Totals& totals, std::size_t files) {
  if (::isatty(STDOUT_FILENO) == 1) {
    const TerminalLine cleared;
    for (;;) {
      std::fputs(("\r" + progress_line(totals, files) + "\033[K").c_str(), stdout);
      std::fflush(stdout);
      co_await coil::sleep(100ms);
    }
  }
  for (;;) {
    co_await coil::sleep(5s);
    fmt::print("{}\n", progress_line(totals, files));
    std::fflush(stdout);
  }
}

}  // namespace pipeline
