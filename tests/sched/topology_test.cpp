// How many loops, where, and who is near whom: on this machine, on synthetic ones and under quotas.
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "../../sched/steal_order.hpp"
#include "../../sched/topology.hpp"

namespace {

using coil::detail::cgroup_cpu_limit;
using coil::detail::distance;
using coil::detail::Random;
using coil::detail::StealOrder;
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

TEST(topology, knows_nodes_and_shared_caches) {
  const Topology machine = Topology::synthetic("numa:2 l3:2 core:2 pu:1");
  ASSERT_EQ(machine.processors.size(), 8U);
  int counts[3] = {};
  for (std::size_t i = 1; i < 8; ++i)
    ++counts[distance(machine.processors[0], machine.processors[i])];
  EXPECT_EQ(counts[0], 1);  // its neighbour under the same L3
  EXPECT_EQ(counts[1], 2);  // the other L3 of its node
  EXPECT_EQ(counts[2], 4);  // the other node
}

TEST(topology, refuses_a_description_that_means_nothing) {
  EXPECT_THROW((void)Topology::synthetic("coffee:2"), std::invalid_argument);
}

TEST(steal_order, names_every_other_loop_once_and_the_near_ones_first) {
  for (const char* description : {"core:4 pu:1", "numa:2 l3:1 core:4 pu:1", "numa:8 core:16 pu:1",
                                  "numa:2 l3:2 core:2 pu:2"}) {
    SCOPED_TRACE(description);
    const Topology machine = Topology::synthetic(description);
    for (unsigned self = 0; self < machine.processors.size(); ++self) {
      const StealOrder order(machine.processors, self);
      Random random(self);
      std::set<unsigned> seen;
      int farthest = 0;
      EXPECT_FALSE(order.round(random, [&](unsigned victim) {
        EXPECT_NE(victim, self);
        EXPECT_TRUE(seen.insert(victim).second);
        const int d = distance(machine.processors[self], machine.processors[victim]);
        EXPECT_GE(d, farthest);
        farthest = d;
        return false;
      }));
      EXPECT_EQ(seen.size(), machine.processors.size() - 1);
    }
  }
}

TEST(steal_order, starts_at_random_within_a_ring_and_ends_when_something_was_found) {
  const Topology machine = Topology::synthetic("core:8 pu:1");
  const StealOrder order(machine.processors, 0);
  Random random(7);
  std::set<unsigned> first;
  for (int i = 0; i < 200; ++i) {
    int visits = 0;
    EXPECT_TRUE(order.round(random, [&](unsigned victim) {
      first.insert(victim);
      ++visits;
      return true;
    }));
    EXPECT_EQ(visits, 1);
  }
  EXPECT_EQ(first.size(), 7U);
}

}  // namespace
