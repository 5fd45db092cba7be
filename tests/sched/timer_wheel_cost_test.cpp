// What TimerWheel costs, counted and not timed: each timer lies on a page of its own, and a page
// that is touched is noticed by the fault it takes.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <new>
#include <random>

#include "timer_wheel.hpp"

namespace coil::detail {
namespace {

using namespace std::chrono_literals;

constinit const TimerKind quiet{[](Timer&, CancelWork&) noexcept {}, nullptr};
const TimePoint start = TimePoint(1h);

// Timers that can be closed, so that the next touch of each counts. One at a time.
class WatchedTimers {
 public:
  explicit WatchedTimers(std::size_t count)
      : count_(count), page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    void* memory = ::mmap(nullptr, count * page_, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<std::byte*>(memory);
    for (std::size_t i = 0; i < count; ++i) new (base_ + i * page_) Timer(quiet);
    current = this;
    struct sigaction action{};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = &on_fault;
    ::sigaction(SIGSEGV, &action, &before_);
  }
  ~WatchedTimers() {
    ::sigaction(SIGSEGV, &before_, nullptr);
    current = nullptr;
    ::munmap(base_, count_ * page_);
  }
  WatchedTimers(const WatchedTimers&) = delete;
  WatchedTimers& operator=(const WatchedTimers&) = delete;

  Timer& operator[](std::size_t i) { return *reinterpret_cast<Timer*>(base_ + i * page_); }
  // How many timers `action` touches.
  template <class Action>
  std::size_t touched_by(Action action) {
    touched_ = 0;
    ::mprotect(base_, count_ * page_, PROT_NONE);
    action();
    ::mprotect(base_, count_ * page_, PROT_READ | PROT_WRITE);
    return touched_;
  }

 private:
  static void on_fault(int, siginfo_t* info, void*) {
    auto* at = static_cast<std::byte*>(info->si_addr);
    WatchedTimers& self = *current;
    if (at < self.base_ || at >= self.base_ + self.count_ * self.page_) {
      ::signal(SIGSEGV, SIG_DFL);
      return;
    }
    ++self.touched_;
    const auto offset = static_cast<std::size_t>(at - self.base_) / self.page_ * self.page_;
    ::mprotect(self.base_ + offset, self.page_, PROT_READ | PROT_WRITE);
  }

  static inline WatchedTimers* current = nullptr;
  std::size_t count_;
  std::size_t page_;
  std::byte* base_;
  std::size_t touched_ = 0;
  struct sigaction before_{};
};

// Closing all pages takes a millisecond, so only every so many-th action is watched.
constexpr std::size_t count = 10'000;
constexpr std::size_t watch_every = 37;

// The most that any watched one of action(0), action(1), ... touches.
template <class Action>
std::size_t most_touched(WatchedTimers& timers, Action action) {
  std::size_t most = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % watch_every == 0) {
      most = std::max(most, timers.touched_by([&] { action(i); }));
    } else {
      action(i);
    }
  }
  return most;
}

Duration some_time(std::mt19937_64& random) {
  return 1ms + std::chrono::microseconds(random() % 100'000'000);
}

TEST(timer_wheel_cost, arming_touches_no_more_timers_than_it_has_neighbours) {
  WatchedTimers timers(count);
  TimerWheel wheel(start);
  std::mt19937_64 random(3);
  const auto most =
      most_touched(timers, [&](std::size_t i) { wheel.arm(timers[i], start + some_time(random)); });
  EXPECT_GE(most, 1U) << "the watch does not work";
  EXPECT_LE(most, 3U);
}

TEST(timer_wheel_cost, cancelling_touches_no_more_timers_than_it_has_neighbours) {
  WatchedTimers timers(count);
  TimerWheel wheel(start);
  std::mt19937_64 random(4);
  for (std::size_t i = 0; i < count; ++i) wheel.arm(timers[i], start + some_time(random));
  const auto most = most_touched(
      timers, [&](std::size_t i) { EXPECT_TRUE(TimerWheel::disarm(timers[i * 7'919 % count])); });
  EXPECT_LE(most, 3U);
  EXPECT_EQ(wheel.size(), 0U);
}

// Overdue timers lie in a heap.
TEST(timer_wheel_cost, cancelling_what_is_due_touches_a_logarithm_of_them) {
  WatchedTimers timers(count);
  TimerWheel wheel(start);
  for (std::size_t i = 0; i < count; ++i)
    wheel.arm(timers[i], start - std::chrono::nanoseconds(i * 31'337 % count));
  const auto most = most_touched(
      timers, [&](std::size_t i) { EXPECT_TRUE(TimerWheel::disarm(timers[i * 7'919 % count])); });
  EXPECT_LE(most, 40U);  // two children on each of log2(10,000) levels, and some
}

TEST(timer_wheel_cost, time_that_passes_touches_each_timer_once_per_level) {
  WatchedTimers timers(count);
  TimerWheel wheel(start);
  std::mt19937_64 random(5);
  for (std::size_t i = 0; i < count; ++i)
    wheel.arm(timers[i], start + 1h + std::chrono::microseconds(random() % 1'000'000'000));
  std::size_t total = 0;
  std::size_t turns_that_touch = 0;
  for (int second = 0; second < 3'600; second += 10) {
    const auto n = timers.touched_by([&] { wheel.advance(start + std::chrono::seconds(second)); });
    total += n;
    turns_that_touch += n != 0;
  }
  EXPECT_LE(total, 8 * count);
  EXPECT_LE(turns_that_touch, 100U);
  EXPECT_EQ(wheel.size(), count);
}

}  // namespace
}  // namespace coil::detail
