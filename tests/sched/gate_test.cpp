// Gate: who is inside when it is shut is waited for, who comes later is refused.
#include "gate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <kit/watchdog.hpp>
#include <thread>
#include <vector>

namespace coil::detail {
namespace {

TEST(gate, lets_in_until_it_is_shut) {
  Gate gate;
  EXPECT_FALSE(gate.is_shut());
  EXPECT_TRUE(gate.enter());
  EXPECT_TRUE(gate.enter());
  gate.leave();
  gate.leave();
  gate.shut();
  EXPECT_TRUE(gate.is_shut());
  EXPECT_FALSE(gate.enter());
  EXPECT_TRUE(gate.enter_late());
  gate.leave();
  gate.close();  // who was refused is not inside
  EXPECT_FALSE(gate.enter());
  EXPECT_FALSE(gate.enter_late());
  gate.pass();  // never refused
  gate.leave();
  gate.close();
}

TEST(gate, waits_for_who_is_inside_and_refuses_who_comes_later) {
  const kit::Watchdog watchdog;
  int visits = 0;
  for (int round = 0; round < 100; ++round) {
    Gate gate;
    std::atomic<bool> open{true};
    std::atomic<int> started{0};
    std::atomic<int> late{0};
    std::atomic<int> entered{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        ++started;
        for (;;) {
          if (t == 0) {
            gate.pass();
            gate.leave();
          }
          if (!gate.enter()) return;
          for (int i = 0; i < 20; ++i) late += !open.load();
          ++entered;
          gate.leave();
        }
      });
    }
    while (started != 3) std::this_thread::yield();
    for (int i = 0; i < round % 4; ++i) std::this_thread::yield();
    gate.shut();
    open = false;
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(late, 0) << "somebody was inside after shut()";
    visits += entered;
  }
  EXPECT_GT(visits, 100);
}

}  // namespace
}  // namespace coil::detail
