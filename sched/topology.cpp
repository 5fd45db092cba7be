#include "topology.hpp"

#include <hwloc.h>
#include <sched.h>

#include <algorithm>
#include <coil/detail/processors.hpp>
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
  if (hwloc_topology_load(topology.get()) == 0)
    result.processors = list_processors(topology.get(), &allowed);
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

Topology Topology::synthetic(const char* description) {
  const HwlocTopology topology = new_topology();
  if (hwloc_topology_set_synthetic(topology.get(), description) != 0 ||
      hwloc_topology_load(topology.get()) != 0)
    throw std::invalid_argument(std::string("not a synthetic topology: ") + description);
  Topology result;
  result.processors = list_processors(topology.get(), nullptr);
  result.loops = std::max(1U, static_cast<unsigned>(result.processors.size()));
  return result;
}

int distance(const Processor& a, const Processor& b) noexcept {
  if (a.node != b.node) return 2;
  return a.l3 == b.l3 ? 0 : 1;
}

std::size_t processor_count() { return Topology::machine().processors.size(); }

void unbind_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const Processor& processor : Topology::machine().processors)
    if (processor.os_index < CPU_SETSIZE) CPU_SET(processor.os_index, &set);
  (void)sched_setaffinity(0, sizeof set, &set);  // refused: it stays where its maker is
}

bool bind_thread(unsigned os_index) noexcept {
  if (os_index >= CPU_SETSIZE) return false;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(os_index, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

}  // namespace coil::detail
