// TimeLimit: any chrono duration or none; no overflow, no NaN.
#include <coil/cancel_scope.hpp>
#include <coil/event.hpp>
#include <coil/sleep.hpp>
#include <coil/time.hpp>
#include <coil/timeout.hpp>
#include <coil/wait.hpp>
#include <kit/loops.hpp>
#include <limits>
#include <optional>
#include <stdexcept>
#include <type_traits>

using namespace coil;
using namespace std::chrono_literals;

namespace {

using Seconds = std::chrono::duration<double>;
using Minutes = std::chrono::duration<double, std::ratio<60>>;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(time_limit, takes_any_duration_or_none) {
  static_assert(!std::is_constructible_v<TimeLimit, int>, "a number has no unit");
  static_assert(!std::is_constructible_v<TimeLimit, double>);
  EXPECT_FALSE(TimeLimit().has_value());
  EXPECT_FALSE(TimeLimit(std::nullopt).has_value());
  EXPECT_FALSE(TimeLimit(std::optional<Duration>()).has_value());
  EXPECT_EQ(TimeLimit(std::optional(2ms)).value(), Duration(2ms));
  EXPECT_EQ(TimeLimit(3h).value(), Duration(3h));
  EXPECT_EQ(TimeLimit(Minutes(0.5)).value(), Duration(30s));
  EXPECT_EQ(TimeLimit(Seconds(0.25)).value(), Duration(250ms));
  EXPECT_GT(TimeLimit(Seconds(1e-12)).value(), Duration::zero()) << "rounded up";
}

TEST(time_limit, reckons_its_deadline_without_overflow) {
  const TimePoint now = Clock::now();
  EXPECT_EQ(TimeLimit(1s).deadline(now), now + 1s);
  EXPECT_EQ(TimeLimit().deadline(now), TimePoint::max());
  EXPECT_EQ(TimeLimit(std::chrono::hours::max()).deadline(now), TimePoint::max());
  EXPECT_EQ(TimeLimit(Seconds(infinity)).deadline(now), TimePoint::max());
  EXPECT_EQ(TimeLimit(Duration::max()).deadline(now), TimePoint::max());
  EXPECT_LE(TimeLimit(Seconds(-infinity)).deadline(now), now);
  EXPECT_LE(TimeLimit(std::chrono::hours::min()).deadline(now), now);
  EXPECT_LE(TimeLimit(Duration::min()).deadline(now), now);
}

TEST(time_limit, of_nan_is_refused_wherever_a_limit_is_taken) {
  EXPECT_THROW(TimeLimit(Seconds(nan)), std::invalid_argument);
  kit::on_one_loop([]() -> Coro<> {
    const Seconds d(nan);
    auto body = []() -> Coro<> { co_return; };
    Event event;
    EXPECT_THROW((void)sleep(d), std::invalid_argument);
    EXPECT_THROW((void)wait_for(event.wait(), d), std::invalid_argument);
    EXPECT_THROW((void)timeout(d, body), std::invalid_argument);
    EXPECT_THROW((void)move_on_after(d, body), std::invalid_argument);
    EXPECT_THROW((void)fail_after(d, body), std::invalid_argument);
    EXPECT_THROW((void)get_running_loop().call_later(d, [] {}), std::invalid_argument);
    co_return;
  });
}

TEST(time_limit, of_zero_or_less_is_over_for_scopes_and_limits_alike) {
  kit::on_loops([]() -> Coro<> {
    auto body = []() -> Coro<> { co_await sleep_forever(); };
    for (const Duration d : {Duration(0ms), Duration(-1s), Duration::min()}) {
      EXPECT_TRUE((co_await move_on_after(d, body)).cancelled_caught());
      int late = 0;
      try {
        co_await fail_after(d, body);
      } catch (const TimeoutError&) {
        ++late;
      }
      try {
        co_await timeout(d, body);
      } catch (const TimeoutError&) {
        ++late;
      }
      EXPECT_EQ(late, 2);
      co_await sleep(d);
    }
  });
}

}  // namespace
