// The policies of stealing on simulated machines of 64 and 256 cores: a JSON line per run.
//
// It ends with 1 if a run breaks what must hold for any policy.
#include <cstdio>
#include <string>

#include "../kit/command_line.hpp"
#include "machine.hpp"
#include "topology.hpp"

namespace steal_policy {
namespace {

struct Shape {
  const char* name;
  const char* description;
};
constexpr Shape shapes[] = {{"64", "node:8 l3:1 core:8 pu:1"}, {"256", "node:8 l3:4 core:8 pu:1"}};

void print(const Shape& shape, const Load& load, const Policy& policy, const Result& result) {
  const double tasks = static_cast<double>(result.tasks);
  const double loops = std::stod(shape.name);
  const double makespan = static_cast<double>(result.makespan);
  std::printf(
      "{\"cores\": %s, \"load\": \"%s\", \"policy\": \"%s\", \"tasks\": %llu, "
      "\"makespan_us\": %.1f, \"bound_us\": %.1f, \"ratio\": %.3f, \"idle\": %.4f, ",
      shape.name, load.name.c_str(), policy.name.c_str(),
      static_cast<unsigned long long>(result.tasks), makespan / 1e3,
      static_cast<double>(load.lower_bound) / 1e3, makespan / static_cast<double>(load.lower_bound),
      static_cast<double>(result.idle) / makespan / loops);
  std::printf(
      "\"steals\": %.4f, \"far\": %.4f, \"failed\": %.3f, \"wakes\": %.4f, "
      "\"wait_p99_us\": %.1f}\n",
      static_cast<double>(result.steals) / tasks,
      result.steals == 0
          ? 0.0
          : static_cast<double>(result.far_steals) / static_cast<double>(result.steals),
      static_cast<double>(result.failed) / tasks, static_cast<double>(result.wakes) / tasks,
      static_cast<double>(result.wait_p99) / 1e3);
}

bool is_sane(const Load& load, const Policy& policy, const Result& result) {
  const char* wrong = nullptr;
  if (!result.every_task_ran_once) wrong = "a task did not run exactly once";
  if (result.makespan < load.lower_bound) wrong = "faster than is possible";
  if (wrong != nullptr)
    std::fprintf(stderr, "%s, %s: %s\n", load.name.c_str(), policy.name.c_str(), wrong);
  return wrong == nullptr;
}

int run(int argc, char** argv) {
  bench::CommandLine line(argc, argv,
                          {{"cores", "0", "64 or 256; 0: both"},
                           {"seed", "1", "of the loads and of the loops' choices"},
                           {"scale", "1", "divides the number of tasks"},
                           {"repeat", "0", "1: every run twice, which must give the same"}});
  const auto only = line.number<unsigned>("cores", 0, 256);
  const auto seed = line.number<std::uint64_t>("seed", 0, 1'000'000);
  const auto scale = line.number<unsigned>("scale", 1, 1'000);
  const bool repeat = line.number<int>("repeat", 0, 1) != 0;
  bool sane = true;
  const Costs costs;
  for (const Shape& shape : shapes) {
    const auto machine = coil::detail::Topology::synthetic(shape.description);
    const auto cores = static_cast<unsigned>(machine.processors.size());
    if (only != 0 && only != cores) continue;
    for (const Load& load : loads(costs, cores, seed, scale))
      for (const Policy& policy : policies()) {
        auto once = [&] { return Machine(machine.processors, load, policy, costs, seed).run(); };
        const Result result = once();
        print(shape, load, policy, result);
        sane &= is_sane(load, policy, result);
        if (repeat && once() != result) {
          std::fprintf(stderr, "%s: not the same twice\n", policy.name.c_str());
          sane = false;
        }
      }
  }
  return sane ? 0 : 1;
}

}  // namespace
}  // namespace steal_policy

int main(int argc, char** argv) { return steal_policy::run(argc, argv); }
