// What one sees while it runs: on a terminal a line that is rewritten every second, elsewhere a
// line every five seconds.
#pragma once

#include <coil/coil.hpp>
#include <cstdint>

namespace demo {

class LiveLine {
 public:
  struct Totals {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t wrong = 0;
    std::uint64_t errors = 0;
    coil::Metrics metrics;
  };

  LiveLine(bool stealing, double seconds);
  ~LiveLine();  // clears the line
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

  [[nodiscard]] bool is_due() const;
  void show(const Totals& totals);  // with the rates since the last time

 private:
  bool stealing_;
  double seconds_;
  bool terminal_;
  coil::TimePoint begin_;
  coil::TimePoint last_time_;
  Totals last_;
};

}  // namespace demo
