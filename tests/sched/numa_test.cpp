// On a machine with several NUMA nodes: what a loop uses lies on the node that it runs on.
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <cstdint>
#include <fstream>
#include <kit/loops.hpp>
#include <kit/nodes.hpp>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "../../sched/backend/io_uring/backend.hpp"
#include "../../sched/worker.hpp"
#include "../../sched/worker_pool.hpp"

using namespace coil;
using namespace std::chrono_literals;

namespace {

using detail::IoUringBackend;
using detail::Worker;

// Fills what malloc will give next with pages of this thread's node: memory must not come from
// where somebody else has left some.
void leave_pages_behind() {
  std::vector<std::unique_ptr<char[]>> blocks;
  for (std::size_t size = 512; size <= 65'536; size *= 2)
    for (int i = 0; i < 50; ++i) {
      blocks.push_back(std::make_unique<char[]>(size));
      blocks.back()[0] = 1;
    }
}

// Runs body(loop) as a pinned task of each loop, with the node that it is on.
template <class Body>
void on_each_loop(Runner& runner, Body body) {
  runner.run([&]() -> Coro<> {
    std::set<int> nodes;
    for (Loop* loop : runner.loops())
      co_await loop->create_task([&]() -> Coro<> {
        EXPECT_EQ(&get_running_loop(), loop);
        nodes.insert(kit::node_of_this_thread());
        co_await body(*loop);
      });
    EXPECT_GE(nodes.size(), 2U) << "the loops are not spread over the nodes";
  });
}

void expect_all_here(const kit::PageCount& pages, std::size_t at_least, const char* what) {
  EXPECT_EQ(pages.elsewhere, 0U) << what;
  EXPECT_GE(pages.here, at_least) << what;
}

TEST(numa, a_loop_lies_on_its_node) {
  KIT_NEEDS_TWO_NODES();
  leave_pages_behind();
  for (int round = 0; round < 2; ++round) {  // the second finds what the first has left
    const kit::Watchdog watchdog;
    Runner runner;
    on_each_loop(runner, [](Loop& loop) -> Coro<> {
      const int node = kit::node_of_this_thread();
      Worker& worker = Worker::of(loop);
      expect_all_here(kit::count_pages(&worker, sizeof worker, node), 1, "queues and timers");
      const void* backend = &dynamic_cast<IoUringBackend&>(worker.backend());
      expect_all_here(kit::count_pages(backend, sizeof(IoUringBackend), node), 1, "backend");
      co_return;
    });
  }
}

using Mapping = std::pair<std::uintptr_t, std::uintptr_t>;

std::set<Mapping> mappings_of_rings() {
  std::set<Mapping> mappings;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("[io_uring]") == std::string::npos) continue;
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> begin >> dash >> end;
    mappings.emplace(begin, end);
  }
  return mappings;
}

// The kernel's pages of the rings that are not among `others`, by node. Empty if it does not tell.
std::map<int, std::size_t> pages_of_rings(const std::set<Mapping>& others) {
  std::map<int, std::size_t> counts;
  for (const auto& [begin, end] : mappings_of_rings()) {
    if (others.contains({begin, end})) continue;
    for (std::uintptr_t at = begin; at < end; at += 4096) {
      volatile const char* page = reinterpret_cast<const char*>(at);
      (void)*page;  // mapped when it is read
      const int node = kit::node_of_page(reinterpret_cast<const void*>(at));
      if (node >= 0) ++counts[node];
    }
  }
  return counts;
}

TEST(numa, each_nodes_rings_lie_on_it) {
  KIT_NEEDS_TWO_NODES();
  const kit::Watchdog watchdog;
  const auto others = mappings_of_rings();  // of loops that could not be closed
  Runner runner;
  std::map<int, std::size_t> loops;
  on_each_loop(runner, [&](Loop&) -> Coro<> {
    ++loops[kit::node_of_this_thread()];
    co_return;
  });
  const auto pages = pages_of_rings(others);
  if (pages.empty() && !kit::nodes_are_promised()) GTEST_SKIP() << "needs root";
  ASSERT_EQ(pages.size(), loops.size());
  // All rings are of one size.
  const std::size_t of_one_ring = pages.begin()->second / loops[pages.begin()->first];
  EXPECT_GT(of_one_ring, 0U);
  for (const auto& [node, count] : pages) EXPECT_EQ(count, of_one_ring * loops[node]) << node;
}

// A task that says where its frame is and waits.
Coro<> wait_here(std::vector<const void*>& frames, std::atomic<bool>& over) {
  char inside[300];
  frames.push_back(&inside);
  while (!over) co_await sleep(1ms);
  inside[0] = 0;
  asm volatile("" : : "r"(&inside) : "memory");  // it is in the frame
}

Coro<> expect_frames_here(int count) {
  std::vector<const void*> frames;
  std::atomic<bool> over{false};
  std::vector<Task<>> tasks;
  for (int i = 0; i < count; ++i)
    tasks.push_back(create_task(wait_here(frames, over), {.affinity = Affinity::loop}));
  while (frames.size() < static_cast<std::size_t>(count)) co_await kit::yield();
  const int node = kit::node_of_this_thread();
  std::size_t elsewhere = 0;
  for (const void* frame : frames) elsewhere += kit::node_of_page(frame) != node;
  EXPECT_EQ(elsewhere, 0U) << "of " << frames.size() << " frames";
  over = true;
  for (auto& task : tasks) co_await task;
}

TEST(numa, frames_lie_on_the_node_of_the_loop_that_makes_them) {
#if defined(__has_feature) && __has_feature(address_sanitizer)
  GTEST_SKIP() << "every frame is an allocation of its own";
#endif
  KIT_NEEDS_TWO_NODES();
  leave_pages_behind();
  for (int round = 0; round < 2; ++round) {
    const kit::Watchdog watchdog;
    Runner runner;
    on_each_loop(runner, [](Loop&) -> Coro<> { co_await expect_frames_here(3000); });
  }
}

TEST(numa, a_runner_that_is_not_pinned_leaves_its_thread_where_it_was) {
  KIT_NEEDS_TWO_NODES();
  cpu_set_t before;
  cpu_set_t after;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  for (const bool pin : {false, true}) {
    const kit::Watchdog watchdog;
    Runner runner({.pin = pin});
    ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
    EXPECT_TRUE(CPU_EQUAL(&before, &after)) << "pin: " << pin;
  }
}

}  // namespace
