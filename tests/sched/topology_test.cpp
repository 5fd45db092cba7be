// How many loops, and where: on this machine, on synthetic ones and under quotas.
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "../../sched/topology.hpp"

namespace {

using coil::detail::cgroup_cpu_limit;
using coil::detail::Topology;

// A directory that stands for "/", with the files of one cgroup.
class FakeRoot {
 public:
  FakeRoot() : path_(std::filesystem::temp_directory_path() / ("coil-cgroup-" + unique())) {}
  ~FakeRoot() { std::filesystem::remove_all(path_); }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;

  FakeRoot& file(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text << "\n";
    return *this;
  }
  [[nodiscard]] unsigned limit() const { return cgroup_cpu_limit(path_.string()); }

 private:
  static std::string unique() {
    static int count = 0;
    return std::to_string(::getpid()) + "-" + std::to_string(count++);
  }
  std::filesystem::path path_;
};

TEST(cgroup, gives_a_container_of_one_and_a_half_processors_two_loops) {
  FakeRoot root;
  root.file("proc/self/cgroup", "0::/pod/app")
      .file("sys/fs/cgroup/pod/app/cpu.max", "150000 100000");
  EXPECT_EQ(root.limit(), 2U);
}

TEST(cgroup, takes_the_smallest_quota_on_the_way_up) {
  FakeRoot root;
  root.file("proc/self/cgroup", "0::/pod/app")
      .file("sys/fs/cgroup/pod/app/cpu.max", "800000 100000")
      .file("sys/fs/cgroup/pod/cpu.max", "300000 100000")
      .file("sys/fs/cgroup/cpu.max", "max 100000");
  EXPECT_EQ(root.limit(), 3U);
}

TEST(cgroup, reads_version_one) {
  FakeRoot root;
  root.file("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/box\n")
      .file("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "50000")
      .file("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000");
  EXPECT_EQ(root.limit(), 1U);
  FakeRoot unlimited;
  unlimited.file("proc/self/cgroup", "4:cpu:/box")
      .file("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "-1")
      .file("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000");
  EXPECT_EQ(unlimited.limit(), 0U);
}

TEST(cgroup, without_a_quota_or_without_files_limits_nothing) {
  FakeRoot root;
  EXPECT_EQ(root.limit(), 0U);
  root.file("proc/self/cgroup", "0::/").file("sys/fs/cgroup/cpu.max", "max 100000");
  EXPECT_EQ(root.limit(), 0U);
}

TEST(topology, of_this_machine_names_only_allowed_processors) {
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  const Topology& machine = Topology::machine();
  EXPECT_GE(machine.loops, 1U);
  EXPECT_LE(machine.loops, static_cast<unsigned>(CPU_COUNT(&allowed)));
  std::set<unsigned> seen;
  for (const auto& processor : machine.processors) {
    EXPECT_TRUE(CPU_ISSET(processor.os_index, &allowed)) << processor.os_index;
    EXPECT_TRUE(seen.insert(processor.os_index).second);
  }
}

TEST(topology, puts_one_thread_of_every_core_first) {
  const Topology machine = Topology::synthetic("core:4 pu:2");
  ASSERT_EQ(machine.processors.size(), 8U);
  std::set<unsigned> cores;
  for (std::size_t i = 0; i < 4; ++i) cores.insert(machine.processors[i].core);
  EXPECT_EQ(cores.size(), 4U);
}

std::vector<unsigned> os_indices(const Topology& machine) {
  std::vector<unsigned> indices;
  for (const auto& processor : machine.processors) indices.push_back(processor.os_index);
  return indices;
}

TEST(topology, places_loops_on_cores_first_and_then_on_their_second_threads) {
  const Topology machine = Topology::synthetic("numa:2 l3:1 core:2 pu:2");
  EXPECT_EQ(os_indices(machine), (std::vector<unsigned>{0, 2, 4, 6, 1, 3, 5, 7}));
  EXPECT_EQ(machine.loops, 8U);
}

TEST(topology, keeps_to_an_affinity_mask_with_holes) {
  // Core 0 lost its first thread, core 3 has neither, core 4 has both.
  const Topology machine = Topology::synthetic("numa:2 l3:1 core:4 pu:2", {1, 2, 5, 8, 9, 15});
  EXPECT_EQ(os_indices(machine), (std::vector<unsigned>{1, 2, 5, 8, 15, 9}));
  EXPECT_EQ(machine.loops, 6U);
  std::vector<unsigned> nodes;
  for (const auto& processor : machine.processors) nodes.push_back(processor.node);
  EXPECT_EQ(nodes, (std::vector<unsigned>{0, 0, 0, 1, 1, 1}));
}

TEST(topology, begins_again_when_there_are_more_loops_than_processors) {
  const Topology machine = Topology::synthetic("core:3 pu:1");
  std::vector<unsigned> indices;
  for (const auto& place : coil::detail::place_loops(machine.processors, 7))
    indices.push_back(place.os_index);
  EXPECT_EQ(indices, (std::vector<unsigned>{0, 1, 2, 0, 1, 2, 0}));
}

TEST(topology, reads_how_far_the_nodes_are) {
  const Topology machine = Topology::synthetic("numa:3 core:1 pu:1", {},  //
                                               {10, 12, 31, 12, 10, 32, 33, 34, 10});
  EXPECT_EQ(machine.distances.between(0, 0), 10U);
  EXPECT_EQ(machine.distances.between(0, 1), 12U);
  EXPECT_EQ(machine.distances.between(1, 2), 32U);
  EXPECT_EQ(machine.distances.between(2, 0), 33U);
  EXPECT_EQ(machine.distances.between(2, 7), 0U) << "of a node that is not there";
}

TEST(topology, without_distances_takes_all_nodes_for_equally_far) {
  const Topology machine = Topology::synthetic("numa:3 core:1 pu:1");
  EXPECT_EQ(machine.distances.between(0, 1), machine.distances.between(0, 2));
}

TEST(topology, refuses_a_description_that_means_nothing) {
  EXPECT_THROW((void)Topology::synthetic("coffee:2"), std::invalid_argument);
  EXPECT_THROW((void)Topology::synthetic("numa:2 core:1 pu:1", {}, {10, 20}),
               std::invalid_argument);
}

}  // namespace
