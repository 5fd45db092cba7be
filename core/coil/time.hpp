// Time as every room uses it, and what counts as a time limit.
//
// Invariant: a limit that came in as any chrono duration (or none) leaves here as a TimePoint
// that can be compared without overflow; NaN never gets past this header.
#pragma once

// Durations and clocks only: <chrono> itself brings calendars and, for printing them, all of
// iostreams, an eighth of what a program that includes Coil would have to compile.
#if __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif
#include <concepts>
#include <optional>
#include <stdexcept>

namespace coil {

using Clock = std::chrono::steady_clock;
// A point on the loops' clock; virtual under simulation.
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

namespace detail {

inline constexpr TimePoint never = TimePoint::max();

template <class D>
concept ChronoDuration = requires {
  typename D::rep;
  typename D::period;
} && std::same_as<D, std::chrono::duration<typename D::rep, typename D::period>>;

// Rounds up to nanoseconds and saturates: hours::max() is "for ever", not a negative number.
template <ChronoDuration D>
[[nodiscard]] Duration to_duration(D d) {
  using Seconds = std::chrono::duration<long double>;
  if constexpr (std::chrono::treat_as_floating_point_v<typename D::rep>) {
    if (d.count() != d.count()) throw std::invalid_argument("coil: a time limit must not be NaN");
  } else if constexpr (std::same_as<D, Duration>) {
    return d;
  }
  const auto seconds = std::chrono::duration_cast<Seconds>(d).count();
  constexpr auto limit = std::chrono::duration_cast<Seconds>(Duration::max()).count() / 2;
  if (seconds >= limit) return Duration::max();
  if (seconds <= -limit) return Duration::zero();
  return std::chrono::ceil<Duration>(d);
}

// now + d, where "too far to represent" is never.
[[nodiscard]] inline TimePoint add_saturated(TimePoint now, Duration d) noexcept {
  if (d > Duration::zero() && now > never - d) return never;
  return now + d;
}

}  // namespace detail

// A limit given to wait_for, timeout, move_on_after, ...: any duration, or std::nullopt for none.
// Zero or less is already over. Throws std::invalid_argument for NaN.
class TimeLimit {
 public:
  constexpr TimeLimit() noexcept = default;
  // NOLINTBEGIN(google-explicit-constructor): any duration, or none, is a limit
  constexpr TimeLimit(std::nullopt_t) noexcept {}
  template <detail::ChronoDuration D>
  constexpr TimeLimit(D d) : limit_(detail::to_duration(d)) {}
  template <detail::ChronoDuration D>
  constexpr TimeLimit(std::optional<D> d) {
    if (d) limit_ = detail::to_duration(*d);
  }
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] constexpr bool has_value() const noexcept { return limit_.has_value(); }
  [[nodiscard]] constexpr Duration value() const { return limit_.value(); }
  [[nodiscard]] TimePoint deadline(TimePoint now) const noexcept {
    return limit_ ? detail::add_saturated(now, *limit_) : detail::never;
  }

 private:
  std::optional<Duration> limit_;
};

}  // namespace coil
