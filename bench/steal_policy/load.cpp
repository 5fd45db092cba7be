#include "load.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "steal_order.hpp"

namespace steal_policy {
namespace {

using coil::detail::Random;

double unit(Random& random) { return (static_cast<double>(random.next() >> 11U) + 0.5) * 0x1p-53; }
Time exponential(Random& random, double mean) {
  return static_cast<Time>(-std::log(unit(random)) * mean) + 1;
}
// Mean 3 * least for this exponent, but for the cap.
Time heavy_tailed(Random& random, double least, double most) {
  return static_cast<Time>(std::min(most, least / std::pow(unit(random), 1 / 1.5)));
}

// A task that spawns `n` others of one cost.
void add_spawner(Load& load, Arrival arrival, std::uint32_t n, Time cost, const Costs& costs,
                 unsigned cores) {
  arrival.task = static_cast<std::uint32_t>(load.tasks.size());
  load.arrivals.push_back(arrival);
  load.tasks.push_back({.cost = cost, .first = arrival.task + 1, .children = n});
  load.tasks.insert(load.tasks.end(), n, {.cost = cost});
  const Time path = cost + n * costs.spawn + cost;
  load.lower_bound += std::max((n + 1) * cost / static_cast<Time>(cores), path);
}

Load one_source(const Costs& costs, unsigned cores, unsigned scale) {
  Load load{.name = "one source"};
  add_spawner(load, {}, 100'000 / scale, 5'000, costs, cores);
  return load;
}

Load bursts(const Costs& costs, unsigned cores, std::uint64_t seed, unsigned scale) {
  Load load{.name = "bursts"};
  Random random(seed);
  for (unsigned i = 0; i < std::max(2U, 10 / scale); ++i)
    add_spawner(load,
                {.at = 2'000'000,
                 .loop = static_cast<unsigned>(random.below(cores)),
                 .task = 0,
                 .when_quiet = true},
                1'000, 20'000, costs, cores);
  return load;
}

// Poisson arrivals that take a share of the machine, each on a loop that `choose` draws.
template <class Choose>
Load stream(std::string name, double share, unsigned cores, std::uint64_t seed, unsigned scale,
            Choose&& choose) {
  constexpr double mean = 10'000;
  Load load{.name = std::move(name)};
  Random random(seed);
  Time at = 0;
  for (std::uint32_t i = 0; i < 20'000 / scale; ++i) {
    at += exponential(random, mean / (share * cores));
    load.arrivals.push_back({.at = at, .loop = choose(random), .task = i});
    load.tasks.push_back({.cost = exponential(random, mean)});
  }
  // What arrives from some moment on is not done before it has been worked through.
  Time left = 0;
  for (auto arrival = load.arrivals.rbegin(); arrival != load.arrivals.rend(); ++arrival) {
    const Time cost = load.tasks[arrival->task].cost;
    left += cost;
    load.lower_bound = std::max(
        {load.lower_bound, arrival->at + cost, arrival->at + left / static_cast<Time>(cores)});
  }
  load.lower_bound -= load.arrivals.front().at;
  return load;
}

Load zipf(unsigned cores, std::uint64_t seed, unsigned scale) {
  Random random(seed + 1);
  std::vector<unsigned> rank(cores);  // the busy loops are anywhere
  std::iota(rank.begin(), rank.end(), 0);
  for (std::size_t i = cores; i > 1; --i) std::swap(rank[i - 1], rank[random.below(i)]);
  std::vector<double> sum(cores);
  for (unsigned i = 0; i < cores; ++i) sum[i] = (i == 0 ? 0 : sum[i - 1]) + 1.0 / (i + 1);
  return stream("Zipf", 0.7, cores, seed, scale, [=](Random& draw) {
    const auto place = std::lower_bound(sum.begin(), sum.end(), unit(draw) * sum.back());
    return rank[static_cast<std::size_t>(place - sum.begin())];
  });
}

Load steady(std::string name, double share, unsigned cores, std::uint64_t seed, unsigned scale) {
  return stream(std::move(name), share, cores, seed, scale,
                [=](Random& draw) { return static_cast<unsigned>(draw.below(cores)); });
}

// A heap: the children of i are 2i + 1 and 2i + 2.
Load fork_join(const Costs& costs, unsigned cores, std::uint64_t seed, unsigned scale) {
  Load load{.name = "fork-join"};
  Random random(seed);
  const auto leaves = std::bit_floor(16'384 / scale);
  const std::uint32_t inner = leaves - 1;
  load.tasks.resize(inner + leaves);
  for (std::uint32_t i = 0; i < load.tasks.size(); ++i) {
    Task& task = load.tasks[i];
    if (i != 0) task.parent = (i - 1) / 2;
    task.forks = i < inner;
    if (task.forks) {
      task.cost = costs.fork;
      task.first = 2 * i + 1;
      task.children = 2;
    } else {
      task.cost = heavy_tailed(random, 10'000 / 3.0, 300'000);
    }
  }
  Time path = 0;
  for (std::uint32_t i = inner; i < load.tasks.size(); ++i)
    path = std::max(path, load.tasks[i].cost);
  path += (std::bit_width(leaves) - 1) * costs.fork;
  load.lower_bound = std::max(load.work() / static_cast<Time>(cores), path);
  load.arrivals.push_back({.at = 0, .loop = 0, .task = 0});
  return load;
}

}  // namespace

Time Load::work() const {
  return std::accumulate(tasks.begin(), tasks.end(), Time{0},
                         [](Time sum, const Task& task) { return sum + task.cost; });
}

std::vector<Load> loads(const Costs& costs, unsigned cores, std::uint64_t seed, unsigned scale) {
  return {one_source(costs, cores, scale),
          zipf(cores, seed, scale),
          fork_join(costs, cores, seed, scale),
          bursts(costs, cores, seed, scale),
          steady("steady 70 %", 0.7, cores, seed, scale),
          steady("steady 5 %", 0.05, cores, seed, 10 * scale)};
}

}  // namespace steal_policy
