#include "live_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "report.hpp"

namespace demo {
namespace {

using Seconds = std::chrono::duration<double>;
using std::chrono_literals::operator""s;

std::string busy_shares(const coil::Metrics& now, const coil::Metrics& before) {
  constexpr std::size_t shown_max = 8;
  std::string text;
  for (std::size_t i = 0; i < now.loops.size() && i < shown_max; ++i) {
    coil::LoopMetrics delta = now.loops[i];
    if (i < before.loops.size()) {
      delta.idle -= before.loops[i].idle;
      delta.total -= before.loops[i].total;
    }
    text += fmt::format(" {:3.0f}%", 100 * busy_share(delta));
  }
  return text;
}

}  // namespace

LiveLine::LiveLine(bool stealing, double seconds)
    : stealing_(stealing),
      seconds_(seconds),
      terminal_(::isatty(STDOUT_FILENO) == 1),
      begin_(coil::Clock::now()),
      last_time_(begin_) {}

LiveLine::~LiveLine() {
  if (!terminal_) return;
  std::fputs("\r\033[K", stdout);
  std::fflush(stdout);
}

bool LiveLine::is_due() const { return coil::Clock::now() - last_time_ >= (terminal_ ? 1s : 5s); }

void LiveLine::show(const Totals& totals) {
  const auto now = coil::Clock::now();
  const double interval = Seconds(now - last_time_).count();
  const std::string line = fmt::format(
      "stealing {:3}  {:4.0f}/{:g} s  {:7.0f} files/s  {:6.1f} MB/s  {} wrong  {} errors  busy{}",
      stealing_ ? "on" : "off", Seconds(now - begin_).count(), seconds_,
      static_cast<double>(totals.files - last_.files) / interval,
      static_cast<double>(totals.bytes - last_.bytes) / interval / 1e6, totals.wrong, totals.errors,
      busy_shares(totals.metrics, last_.metrics));
  std::fputs((terminal_ ? "\r" + line + "\033[K" : line + "\n").c_str(), stdout);
  std::fflush(stdout);
  last_time_ = now;
  last_ = totals;
}

}  // namespace demo
