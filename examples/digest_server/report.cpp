#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <thread>

namespace demo {
namespace {

using Row = std::vector<double>;

constexpr int label_width = 34;

double files_per_second(const PhaseResult& phase) {
  return static_cast<double>(phase.bulk.files + phase.interactive.files) /
         std::max(phase.seconds, 1e-9);
}
double megabytes_per_second(const PhaseResult& phase) {
  return static_cast<double>(phase.bulk.bytes + phase.interactive.bytes) / 1e6 /
         std::max(phase.seconds, 1e-9);
}
double processors_used(const PhaseResult& phase) {
  return phase.cpu_seconds / std::max(phase.seconds, 1e-9);
}
// The loops had work for more time than the kernel let them run.
bool others_had_the_processors(const PhaseResult& phase) {
  double busy = 0;
  for (const auto& loop : phase.loops) busy += busy_share(loop);
  const unsigned processors = std::max(std::thread::hardware_concurrency(), 1U);
  return processors_used(phase) < 0.8 * std::min<double>(busy, processors);
}
double milliseconds(const Histogram& latencies, double q) {
  return std::chrono::duration<double, std::milli>(latencies.quantile(q)).count();
}

// A line with a value for each phase and, of two, on/off.
template <class Value>
std::string line(std::string_view label, int digits, const std::vector<PhaseResult>& phases,
                 Value value) {
  std::string text = fmt::format("{:<{}}", label, label_width);
  Row values;
  for (const auto& phase : phases) {
    values.push_back(value(phase));
    text += fmt::format("{:>14.{}f}", values.back(), digits);
  }
  if (values.size() == 2 && values[1] > 0) text += fmt::format("{:>11.2f}x", values[0] / values[1]);
  return text + "\n";
}

std::string throughput_and_latency(const std::vector<PhaseResult>& phases) {
  std::string text = fmt::format("{:<{}}", "", label_width);
  for (const auto& phase : phases)
    text += fmt::format("{:>14}", phase.stealing ? "stealing on" : "stealing off");
  text += phases.size() == 2 ? fmt::format("{:>12}\n", "on/off") : "\n";

  text += line("seconds", 1, phases, [](const auto& phase) { return phase.seconds; });
  text += line("files/s", 0, phases, files_per_second);
  text += line("MB/s", 1, phases, megabytes_per_second);
  text += line("processors used", 2, phases, processors_used);
  struct Quantile {
    const char* name;
    double q;
  };
  constexpr std::array quantiles{Quantile{"p50", 0.5}, Quantile{"p99", 0.99},
                                 Quantile{"p99.9", 0.999}};
  struct Kind {
    const char* name;
    Traffic PhaseResult::* traffic;
  };
  for (const auto& [kind, traffic] :
       {Kind{"bulk", &PhaseResult::bulk}, Kind{"interactive", &PhaseResult::interactive}}) {
    if ((phases.front().*traffic).connections == 0) continue;
    for (const auto& quantile : quantiles)
      text += line(
          fmt::format("latency ms, {}, {}", kind, quantile.name), 2, phases,
          [&](const auto& phase) { return milliseconds((phase.*traffic).latencies, quantile.q); });
  }
  return text;
}

// The loops' rows of all phases, each loop's below one another.
std::string loop_table(const std::vector<PhaseResult>& phases) {
  std::string text =
      fmt::format("{:>4}  {:<8}{:>12}{:>14}{:>12}{:>13}{:>10}{:>7}\n", "loop", "stealing",
                  "tasks run", "stolen from", "stolen by", "completions", "parks", "busy");
  std::size_t loops = 0;
  for (const auto& phase : phases) loops = std::max(loops, phase.loops.size());
  for (std::size_t i = 0; i < loops; ++i)
    for (const auto& phase : phases) {
      if (i >= phase.loops.size()) continue;
      const auto& loop = phase.loops[i];
      text += fmt::format("{:>4}  {:<8}{:>12}{:>14}{:>12}{:>13}{:>10}{:>6.0f}%\n", i,
                          phase.stealing ? "on" : "off", loop.tasks_run, loop.stolen_from,
                          loop.stolen_by, loop.completions, loop.parks, 100 * busy_share(loop));
    }
  return text;
}

std::string problems(const PhaseResult& phase) {
  std::string text;
  for (const auto& problem : phase.problems.first)
    text += fmt::format("  stealing {}: {}\n", phase.stealing ? "on" : "off", problem);
  const auto total = phase.problems.wrong + phase.problems.errors;
  if (total > phase.problems.first.size())
    text += fmt::format("  and {} more\n", total - phase.problems.first.size());
  return text;
}

std::string idle_loops(const PhaseResult& phase) {
  std::string text;
  for (std::size_t i = 0; i < phase.loops.size(); ++i)
    if (phase.loops[i].tasks_run == 0) text += fmt::format(" {}", i);
  return text;
}

std::string verdict(const std::vector<PhaseResult>& phases) {
  std::uint64_t wrong = 0;
  std::uint64_t errors = 0;
  std::uint64_t answers = 0;
  std::string details;
  for (const auto& phase : phases) {
    wrong += phase.problems.wrong;
    errors += phase.problems.errors;
    answers += phase.bulk.files + phase.interactive.files;
    details += problems(phase);
  }
  std::string text =
      fmt::format("{} answers checked: {} wrong, {} errors\n", answers, wrong, errors) + details;
  for (const auto& phase : phases) {
    if (phase.interrupted) continue;
    const std::string idle = idle_loops(phase);
    text += fmt::format("stealing {}: {}\n", phase.stealing ? "on" : "off",
                        idle.empty() ? "every loop did work" : "no work was done by loop" + idle);
  }
  if (phases.front().loops.size() == 1) return text + "one loop: there is nobody to steal from\n";
  if (phases.size() == 2 && !phases[1].interrupted && megabytes_per_second(phases[1]) > 0) {
    const double ratio = megabytes_per_second(phases[0]) / megabytes_per_second(phases[1]);
    text += fmt::format("stealing {} this load: {:.2f} times the throughput\n",
                        ratio >= 1 ? "speeds up" : "does not speed up", ratio);
    if (std::ranges::any_of(phases, others_had_the_processors))
      text += "but other programs used the processors too, so that this says little\n";
  }
  return text;
}

}  // namespace

double busy_share(const coil::LoopMetrics& loop) {
  if (loop.total.count() <= 0) return 0;
  const double idle = static_cast<double>(loop.idle.count());
  return std::clamp(1 - idle / static_cast<double>(loop.total.count()), 0.0, 1.0);
}

bool has_problems(const PhaseResult& phase) {
  return phase.problems.wrong + phase.problems.errors != 0;
}

std::string make_report(const std::vector<PhaseResult>& phases) {
  return "\n" + throughput_and_latency(phases) + "\n" + loop_table(phases) + "\n" + verdict(phases);
}

}  // namespace demo
