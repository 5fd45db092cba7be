#include "topology.hpp"

#include <hwloc.h>
#include <hwloc/distances.h>
#include <sched.h>

#include <algorithm>
#include <coil/detail/processors.hpp>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

namespace coil::detail {
namespace {

using HwlocTopology = std::unique_ptr<hwloc_topology, decltype(&hwloc_topology_destroy)>;

HwlocTopology new_topology() {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) throw std::bad_alloc();
  return {raw, &hwloc_topology_destroy};
}

unsigned ancestor_number(hwloc_topology_t topology, hwloc_obj_t pu, hwloc_obj_type_t type) {
  const hwloc_obj_t object = hwloc_get_ancestor_obj_by_type(topology, type, pu);
  return object != nullptr ? object->logical_index : 0;
}

unsigned node_number(hwloc_topology_t topology, hwloc_obj_t pu) {
  hwloc_obj_t node = nullptr;
  while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node)) != nullptr)
    if (hwloc_bitmap_isset(node->nodeset, node->os_index) != 0 &&
        hwloc_bitmap_isincluded(pu->cpuset, node->cpuset) != 0)
      return node->logical_index;
  return 0;
}

std::vector<Processor> list_processors(hwloc_topology_t topology, const cpu_set_t* allowed) {
  std::vector<std::pair<unsigned, Processor>> found;  // with the number of the thread in its core
  hwloc_obj_t pu = nullptr;
  while ((pu = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, pu)) != nullptr) {
    if (allowed != nullptr && (pu->os_index >= CPU_SETSIZE || !CPU_ISSET(pu->os_index, allowed)))
      continue;
    const Processor processor{.os_index = pu->os_index,
                              .core = ancestor_number(topology, pu, HWLOC_OBJ_CORE),
                              .l3 = ancestor_number(topology, pu, HWLOC_OBJ_L3CACHE),
                              .node = node_number(topology, pu)};
    const auto thread =
        static_cast<unsigned>(std::count_if(found.begin(), found.end(), [&](const auto& other) {
          return other.second.core == processor.core;
        }));
    found.emplace_back(thread, processor);
  }
  // Every core's first thread, then every core's second, each in hwloc's order.
  std::vector<Processor> processors;
  processors.reserve(found.size());
  for (unsigned thread = 0; processors.size() < found.size(); ++thread)
    for (const auto& [number, processor] : found)
      if (number == thread) processors.push_back(processor);
  return processors;
}

// What the firmware tells the system (ACPI's SLIT). hwloc keeps no row for a node that it left out.
NodeDistances list_distances(hwloc_topology_t topology) {
  unsigned count = 1;
  hwloc_distances_s* found = nullptr;
  if (hwloc_distances_get_by_type(topology, HWLOC_OBJ_NUMANODE, &count, &found,
                                  HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0) != 0 ||
      count == 0)
    return {};
  const unsigned n = found->nbobjs;
  unsigned nodes = 0;
  for (unsigned i = 0; i < n; ++i) nodes = std::max(nodes, found->objs[i]->logical_index + 1);
  std::vector<unsigned> values(std::size_t{nodes} * nodes);
  for (unsigned i = 0; i < n; ++i)
    for (unsigned j = 0; j < n; ++j)
      values[std::size_t{found->objs[i]->logical_index} * nodes + found->objs[j]->logical_index] =
          static_cast<unsigned>(found->values[std::size_t{i} * n + j]);
  hwloc_distances_release(topology, found);
  return NodeDistances(std::move(values));
}

// As the system does it, for a machine that is made up.
void add_distances(hwloc_topology_t topology, const std::vector<unsigned>& latencies) {
  std::vector<hwloc_obj_t> nodes;
  hwloc_obj_t node = nullptr;
  while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node)) != nullptr)
    nodes.push_back(node);
  if (latencies.size() != nodes.size() * nodes.size())
    throw std::invalid_argument("a latency for each two nodes");
  std::vector<hwloc_uint64_t> values(latencies.begin(), latencies.end());
  auto* handle = hwloc_distances_add_create(
      topology, "synthetic", HWLOC_DISTANCES_KIND_FROM_USER | HWLOC_DISTANCES_KIND_MEANS_LATENCY,
      0);
  if (handle == nullptr ||
      hwloc_distances_add_values(topology, handle, static_cast<unsigned>(nodes.size()),
                                 nodes.data(), values.data(), 0) != 0 ||
      hwloc_distances_add_commit(topology, handle, 0) != 0)
    throw std::invalid_argument("hwloc refuses these latencies");
}

// Without hwloc's help: every allowed processor, all alike.
std::vector<Processor> list_plain(const cpu_set_t& allowed) {
  std::vector<Processor> processors;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed)) processors.push_back({.os_index = cpu, .core = cpu});
  return processors;
}

Topology discover() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) CPU_SET(0, &allowed);
  Topology result;
  const HwlocTopology topology = new_topology();
  hwloc_topology_set_io_types_filter(topology.get(), HWLOC_TYPE_FILTER_KEEP_NONE);
  if (hwloc_topology_load(topology.get()) == 0) {
    result.processors = list_processors(topology.get(), &allowed);
    result.distances = list_distances(topology.get());
  }
  if (result.processors.empty()) result.processors = list_plain(allowed);
  result.loops = std::max(1U, static_cast<unsigned>(result.processors.size()));
  if (const unsigned limit = cgroup_cpu_limit(); limit != 0)
    result.loops = std::min(result.loops, limit);
  return result;
}

}  // namespace

const Topology& Topology::machine() {
  static const Topology topology = discover();
  return topology;
}

Topology Topology::synthetic(const char* description, const std::vector<unsigned>& allowed,
                             const std::vector<unsigned>& latencies) {
  const HwlocTopology topology = new_topology();
  if (hwloc_topology_set_synthetic(topology.get(), description) != 0 ||
      hwloc_topology_load(topology.get()) != 0)
    throw std::invalid_argument(std::string("not a synthetic topology: ") + description);
  if (!latencies.empty()) add_distances(topology.get(), latencies);
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const unsigned cpu : allowed) CPU_SET(cpu, &mask);
  Topology result;
  result.processors = list_processors(topology.get(), allowed.empty() ? nullptr : &mask);
  result.distances = list_distances(topology.get());
  result.loops = std::max(1U, static_cast<unsigned>(result.processors.size()));
  return result;
}

std::size_t processor_count() { return Topology::machine().processors.size(); }

void unbind_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const Processor& processor : Topology::machine().processors)
    if (processor.os_index < CPU_SETSIZE) CPU_SET(processor.os_index, &set);
  (void)sched_setaffinity(0, sizeof set, &set);  // refused: it stays where its maker is
}

std::vector<NodeProcessors> node_processors() {
  std::map<unsigned, std::vector<unsigned>> found;
  for (const Processor& processor : Topology::machine().processors)
    found[processor.node].push_back(processor.os_index);
  std::vector<NodeProcessors> nodes;
  nodes.reserve(found.size());
  for (auto& [node, processors] : found) nodes.push_back({node, std::move(processors)});
  return nodes;
}

void bind_thread_to(const std::vector<unsigned>& processors) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned os_index : processors)
    if (os_index < CPU_SETSIZE) CPU_SET(os_index, &set);
  (void)sched_setaffinity(0, sizeof set, &set);
}

bool bind_thread(unsigned os_index) noexcept {
  if (os_index >= CPU_SETSIZE) return false;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(os_index, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

}  // namespace coil::detail
