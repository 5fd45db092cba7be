// TimerWheel against a model: a multimap from deadline to timer, which keeps the order of insertion
// among equal keys.
#include "timer_wheel.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <kit/watchdog.hpp>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <vector>

namespace coil::detail {
namespace {

using namespace std::chrono_literals;

struct Recorder {
  std::vector<int> expired;
  std::vector<int> fired;
};

struct TestTimer : Timer {
  explicit TestTimer(Recorder& r, int n) : Timer(kind_of_all), recorder(&r), id(n) {}
  Recorder* recorder;
  int id;

  static void expire(Timer& timer, CancelWork&) noexcept {
    auto& self = static_cast<TestTimer&>(timer);
    self.recorder->expired.push_back(self.id);
  }
  static void fire(Timer& timer) noexcept {
    auto& self = static_cast<TestTimer&>(timer);
    self.recorder->fired.push_back(self.id);
  }
  static const TimerKind kind_of_all;
};
constinit const TimerKind TestTimer::kind_of_all{&TestTimer::expire, &TestTimer::fire};

const TimePoint start = TimePoint(1h);

std::vector<std::unique_ptr<TestTimer>> make_timers(Recorder& recorder, int count) {
  std::vector<std::unique_ptr<TestTimer>> timers;
  for (int i = 0; i < count; ++i) timers.push_back(std::make_unique<TestTimer>(recorder, i));
  return timers;
}

// The wheel and its model, moved in step.
class Pair {
 public:
  explicit Pair(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 400; ++i) {
      timers_.push_back(std::make_unique<TestTimer>(recorder_, i));
      where_.push_back(model_.end());
    }
  }

  void step() {
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        return arm(pick(), random_deadline());
      case 3:
        return disarm(pick());
      case 4:
        return advance(now_ + random_span(leap()));
      case 5:
        return advance(now_ + random_span(24));
      case 6:
        return advance(std::min(wheel_.next_deadline(), now_ + Duration(24h)));
      default:
        return advance(now_);
    }
  }
  void drain() {
    for (int steps = 0; !model_.empty(); ++steps) {
      // Each look leads one level down, so a bound of levels per timer holds.
      ASSERT_LT(steps, 20'000) << "next_deadline() leads nowhere";
      advance(wheel_.next_deadline());
    }
  }

 private:
  using Model = std::multimap<TimePoint, int>;

  // Mostly up to minutes, sometimes up to a year; 6,000 steps must not leave the clock's range.
  int leap() { return random_() % 64 == 0 ? 55 : 37; }
  int pick() { return static_cast<int>(random_() % timers_.size()); }
  Duration random_span(int bits_max) {
    const auto bits = random_() % static_cast<unsigned>(bits_max);
    return Duration(static_cast<Duration::rep>(random_() & ((std::uint64_t{1} << bits) - 1)));
  }
  TimePoint random_deadline() {
    const auto kind = random_() % 10;
    if (kind == 0) return now_ - random_span(30);  // overdue
    if (kind == 1) return now_;
    if (kind == 2) return never;
    if (kind <= 4 && !model_.empty()) return std::next(model_.begin(), skip())->first;  // the same
    return add_saturated(now_, random_span(62));
  }
  std::ptrdiff_t skip() { return static_cast<std::ptrdiff_t>(random_() % model_.size()); }

  void arm(int id, TimePoint deadline) {
    if (armed(id)) return;
    wheel_.arm(*timers_[static_cast<std::size_t>(id)], deadline);
    place(id) = model_.emplace(deadline, id);
    check();
  }
  void disarm(int id) {
    const bool was_armed = armed(id);
    ASSERT_EQ(TimerWheel::disarm(*timers_[static_cast<std::size_t>(id)]), was_armed);
    if (was_armed) {
      model_.erase(place(id));
      place(id) = model_.end();
    }
    check();
  }
  void advance(TimePoint now) {
    now_ = std::max(now_, now);
    std::vector<int> expected;
    while (!model_.empty() && model_.begin()->first <= now_) {
      expected.push_back(model_.begin()->second);
      place(model_.begin()->second) = model_.end();
      model_.erase(model_.begin());
    }
    recorder_ = {};
    ASSERT_EQ(wheel_.advance(now_), expected.size());
    ASSERT_EQ(recorder_.expired, expected);
    ASSERT_EQ(recorder_.fired, expected);
    check();
  }
  void check() {
    ASSERT_EQ(wheel_.size(), model_.size());
    if (model_.empty()) {
      ASSERT_EQ(wheel_.next_deadline(), never);
      return;
    }
    ASSERT_LE(wheel_.next_deadline(), model_.begin()->first) << "would sleep through a timer";
    ASSERT_LE(wheel_.hint(), model_.begin()->first) << "would not look for a timer that is due";
  }
  bool armed(int id) { return place(id) != model_.end(); }
  Model::iterator& place(int id) { return where_[static_cast<std::size_t>(id)]; }

  std::mt19937_64 random_;
  Recorder recorder_;
  std::vector<std::unique_ptr<TestTimer>> timers_;
  TimePoint now_ = start;
  TimerWheel wheel_{start};
  Model model_;
  std::vector<Model::iterator> where_;
};

TEST(timer_wheel, does_what_a_sorted_list_does) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed);
    for (int i = 0; i < 6'000; ++i) {
      pair.step();
      ASSERT_FALSE(testing::Test::HasFatalFailure());
    }
    pair.drain();
    ASSERT_FALSE(testing::Test::HasFatalFailure());
  }
}

TEST(timer_wheel, reaches_far_deadlines_exactly) {
  Recorder recorder;
  const Duration days = 24h;
  const std::vector<Duration> spans = {1ns, 65'536ns,  1ms,        1h,
                                       36h, days * 30, days * 365, days * 365 * 100};
  for (const Duration span : spans) {
    SCOPED_TRACE(span.count());
    TimerWheel wheel(start);
    TestTimer timer(recorder, 7);
    wheel.arm(timer, start + span);
    EXPECT_EQ(wheel.advance(start + span - 1ns), 0U) << "early";
    EXPECT_LE(wheel.next_deadline(), start + span);
    EXPECT_EQ(wheel.advance(start + span), 1U) << "late";
  }
}

TEST(timer_wheel, keeps_the_order_of_arming_among_equal_deadlines) {
  Recorder recorder;
  TimerWheel wheel(start);
  const auto timers = make_timers(recorder, 1'000);
  std::vector<int> expected;
  for (const auto& timer : timers) {
    wheel.arm(*timer, start + 3h);
    expected.push_back(timer->id);
    // As time goes by, equal deadlines lie on different levels.
    if (timer->id % 100 == 0) wheel.advance(start + std::chrono::minutes(timer->id / 10));
  }
  EXPECT_EQ(wheel.advance(start + 3h), 1'000U);
  EXPECT_EQ(recorder.fired, expected);
}

TEST(timer_wheel, never_expires_what_is_for_ever) {
  Recorder recorder;
  TimerWheel wheel(start);
  TestTimer timer(recorder, 1);
  wheel.arm(timer, never);
  EXPECT_EQ(wheel.advance(start + Duration(24h) * 365 * 200), 0U);
  EXPECT_TRUE(TimerWheel::disarm(timer));
  EXPECT_EQ(wheel.next_deadline(), never);
}

// A fire() that arms again, and destroys the timer that fired.
TEST(timer_wheel, lets_fire_destroy_its_timer_and_arm_others) {
  struct Chain : Timer {
    Chain(TimerWheel& w, int& c) : Timer(chain_kind()), wheel_of(&w), count(&c) {}
    static const TimerKind& chain_kind() {
      static const TimerKind kind{[](Timer&, CancelWork&) noexcept {}, &fire};
      return kind;
    }
    static void fire(Timer& timer) noexcept {
      auto* self = static_cast<Chain*>(&timer);
      TimerWheel& wheel = *self->wheel_of;
      int& count = *self->count;
      const TimePoint due = self->deadline;
      delete self;
      if (++count == 1'000) return;
      wheel.arm(*new Chain(wheel, count), due);  // due at once
    }
    TimerWheel* wheel_of;
    int* count;
  };
  TimerWheel wheel(start);
  int count = 0;
  wheel.arm(*new Chain(wheel, count), start + 1s);
  while (wheel.size() != 0) wheel.advance(start + 1s);
  EXPECT_EQ(count, 1'000);
}

TEST(timer_wheel, arms_and_cancels_millions) {
  const kit::Watchdog watchdog;
  constexpr int count = 1'000'000;
  Recorder recorder;
  TimerWheel wheel(start);
  const auto memory = std::make_unique<std::byte[]>(count * sizeof(TestTimer));
  auto* timers = reinterpret_cast<TestTimer*>(memory.get());
  for (int i = 0; i < count; ++i) new (timers + i) TestTimer(recorder, i);
  std::mt19937_64 random(1);
  // Like request timeouts: nearly all end long before their time, while time moves on.
  for (int i = 0; i < count; ++i) {
    wheel.arm(timers[i], start + 30s + std::chrono::microseconds(random() % 1'000'000));
    if (i % 1'000 == 0) wheel.advance(start + std::chrono::microseconds(i));
  }
  EXPECT_EQ(wheel.size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const int which = static_cast<int>((i * 7'919LL) % count);
    ASSERT_TRUE(TimerWheel::disarm(timers[which]));
  }
  EXPECT_EQ(wheel.size(), 0U);
  EXPECT_EQ(wheel.next_deadline(), never);
  EXPECT_TRUE(recorder.fired.empty());
}

}  // namespace
}  // namespace coil::detail
