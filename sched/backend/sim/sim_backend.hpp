// A backend without a kernel: a virtual clock; operations on files are done at once, and all others
// nobody can perform.
//
// Invariant: time stands still except in SimClock::advance_to(), which the simulation calls when
// nothing can run. Everything runs on one thread.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>

#include "../backend.hpp"

namespace coil::detail {

class SimClock {
 public:
  [[nodiscard]] TimePoint now() const noexcept { return now_; }
  void advance_to(TimePoint when) noexcept { now_ = std::max(now_, when); }

 private:
  // Not zero, so that no deadline computed by a subtraction is before the epoch.
  TimePoint now_{std::chrono::hours(1)};
};

class SimBackend final : public Backend {
 public:
  explicit SimBackend(std::shared_ptr<SimClock> clock) noexcept : clock_(std::move(clock)) {}

  void attach() override {}
  // Performed at the next poll, in no time: see perform_here().
  void submit(Operation& operation) override;
  void cancel(Operation& operation) override;
  [[nodiscard]] bool wants_poll() const noexcept override { return !pending_.empty(); }
  std::size_t poll() override;
  std::size_t park(TimePoint deadline) override;
  void unpark() noexcept override {}
  [[nodiscard]] std::size_t in_flight() const noexcept override { return pending_.size(); }
  [[nodiscard]] TimePoint now() const noexcept override { return clock_->now(); }
  [[nodiscard]] std::string describe() const override { return "sim"; }
  [[nodiscard]] std::span<std::byte> provided_buffer(std::uint16_t) noexcept override { return {}; }
  void recycle_buffer(std::uint16_t) noexcept override {}
  [[nodiscard]] SimClock& clock() noexcept { return *clock_; }

 private:
  std::shared_ptr<SimClock> clock_;
  std::deque<Operation*> pending_;
};

}  // namespace coil::detail
