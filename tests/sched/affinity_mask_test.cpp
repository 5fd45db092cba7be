// The processors that a program may use decide how many loops it gets: children with a narrow mask.
#include <gtest/gtest.h>
#include <sched.h>

#include <kit/child_process.hpp>
#include <kit/needs_kernel.hpp>
#include <string>

namespace {

TEST(affinity_mask, is_respected_by_the_default_number_of_loops) {
  KIT_NEEDS_KERNEL("real processes");
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  int tried = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE && tried < 4; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    ++tried;
    const std::string number = std::to_string(cpu);
    kit::ChildProcess child("say_loops", {{"COIL_LOOPS", ""}, {"KIT_PROCESSOR", number}});
    ASSERT_TRUE(child.wait()) << child.output();
    EXPECT_EQ(child.result(), 0);
    EXPECT_EQ(child.output(), "loops 1\nprocessor " + number + "\n");
  }
}

TEST(affinity_mask, gives_no_more_loops_than_it_has_processors) {
  KIT_NEEDS_KERNEL("real processes");
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  kit::ChildProcess child("say_loops", {{"COIL_LOOPS", ""}});
  ASSERT_TRUE(child.wait()) << child.output();
  const int loops = std::stoi(child.output().substr(std::string("loops ").size()));
  EXPECT_GE(loops, 1);
  EXPECT_LE(loops, CPU_COUNT(&allowed));
}

}  // namespace
