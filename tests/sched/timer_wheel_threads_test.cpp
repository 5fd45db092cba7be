// TimerWheel: disarming from other threads while the owner arms and advances.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <kit/watchdog.hpp>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "timer_wheel.hpp"

namespace coil::detail {
namespace {

using namespace std::chrono_literals;

const TimePoint start = TimePoint(1h);

struct Cell {
  static void expire(Timer& timer, CancelWork&) noexcept;
  static void fire(Timer& timer) noexcept;

  std::atomic<bool> armed{false};  // the owner has shown it to the others
  std::atomic<int> expired{0};
  std::atomic<int> fired{0};
  std::atomic<int> disarmed{0};
  struct Node : Timer {
    explicit Node(Cell& c) : Timer(kind_of_all), cell(&c) {}
    Cell* cell;
    static const TimerKind kind_of_all;
  };
  std::unique_ptr<Node> node = std::make_unique<Node>(*this);
};
constinit const TimerKind Cell::Node::kind_of_all{&Cell::expire, &Cell::fire};

void Cell::expire(Timer& timer, CancelWork&) noexcept {
  static_cast<Node&>(timer).cell->expired.fetch_add(1);
}
void Cell::fire(Timer& timer) noexcept { static_cast<Node&>(timer).cell->fired.fetch_add(1); }

TEST(timer_wheel, expires_or_disarms_each_timer_once_whoever_is_faster) {
  const kit::Watchdog watchdog;
  constexpr std::size_t count = 40'000;
  std::vector<Cell> cells(count);
  TimerWheel wheel(start);
  std::atomic<std::size_t> shown{0};
  std::atomic<int> ready{0};
  std::atomic<bool> over{false};
  std::atomic<int> lies{0};  // disarm() said "has expired", and expire() had not run
  std::vector<std::thread> others;
  for (unsigned seed = 1; seed <= 2; ++seed) {
    others.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      ready.fetch_add(1);
      while (!over) {
        // Near the newest, where timers are about to expire.
        const std::size_t end = shown.load();
        if (end == 0) continue;
        Cell& cell = cells[end - 1 - random() % std::min<std::size_t>(end, 1'000)];
        // Claimed: only one thread may disarm a timer whose memory it then takes.
        if (!cell.armed.exchange(false)) continue;
        if (TimerWheel::disarm(*cell.node)) {
          cell.disarmed.fetch_add(1);
          cell.node = nullptr;  // whoever disarmed it owns the memory
        } else if (cell.expired.load() == 0) {
          lies.fetch_add(1);
        }
      }
    });
  }
  while (ready != 2) std::this_thread::yield();
  std::mt19937_64 random(9);
  TimePoint now = start;
  for (std::size_t i = 0; i < count; ++i) {
    wheel.arm(*cells[i].node, now + std::chrono::microseconds(random() % 20'000));
    cells[i].armed = true;
    shown = i + 1;
    if (i % 64 == 0) wheel.advance(now += 1ms);
    if (i % 512 == 0) std::this_thread::yield();  // there may be one processor only
  }
  while (wheel.size() != 0) wheel.advance(now += 1ms);
  over = true;
  for (auto& thread : others) thread.join();
  int disarmed = 0;
  int expired = 0;
  for (auto& cell : cells) {
    ASSERT_EQ(cell.expired + cell.disarmed, 1);
    ASSERT_EQ(cell.fired, cell.expired);
    disarmed += cell.disarmed;
    expired += cell.expired;
  }
  EXPECT_EQ(lies, 0);
  // Both sides won often enough for the race to mean something.
  EXPECT_GT(disarmed, 100);
  EXPECT_GT(expired, 100);
}

}  // namespace
}  // namespace coil::detail
