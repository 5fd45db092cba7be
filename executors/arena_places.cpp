#include "arena_places.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace coil::detail {
namespace {

std::vector<NodeProcessors> chosen(const std::vector<NodeProcessors>& nodes, int asked) {
  if (asked == -1) return nodes;
  std::string names;
  for (const NodeProcessors& node : nodes) {
    if (asked >= 0 && node.node == static_cast<unsigned>(asked)) return {node};
    names += (names.empty() ? "" : ", ") + std::to_string(node.node);
  }
  throw std::invalid_argument("ArenaExecutor: numa_node " + std::to_string(asked) +
                              " has no processors for this process; there are: " + names);
}

std::size_t count_processors(const std::vector<NodeProcessors>& nodes) {
  std::size_t count = 0;
  for (const NodeProcessors& node : nodes) count += node.processors.size();
  return count;
}

std::size_t threads_in_all(const std::vector<NodeProcessors>& nodes, std::size_t machine, int asked,
                           std::size_t loops) {
  if (asked < 0)
    throw std::invalid_argument("ArenaExecutor: concurrency must not be negative, but is " +
                                std::to_string(asked));
  if (asked > 0) return static_cast<std::size_t>(asked);
  const std::size_t left = machine > loops ? machine - loops : 1;
  return std::min(left, count_processors(nodes));
}

}  // namespace

std::vector<ArenaPlace> place_arenas(const std::vector<NodeProcessors>& nodes,
                                     const ArenaOptions& options, std::size_t loops) {
  const auto on = chosen(nodes, options.numa_node);
  const std::size_t threads =
      threads_in_all(on, count_processors(nodes), options.concurrency, loops);
  // In proportion to their processors: each node gets what is due up to it, less what those
  // before it have got.
  const std::size_t processors = count_processors(on);
  std::vector<ArenaPlace> places;
  std::size_t seen = 0;
  std::size_t given = 0;
  for (const NodeProcessors& node : on) {
    seen += node.processors.size();
    const std::size_t due = threads * seen / processors - given;
    given += due;
    if (due != 0) places.push_back({node, static_cast<int>(due)});
  }
  return places;
}

}  // namespace coil::detail
