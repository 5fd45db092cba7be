// A machine of many loops that steal from each other by one policy, and what came of it.
//
// Invariant: a loop here does what Worker does, in the same order, by the same StealOrder, IdleSet,
// SpinBudget and steal_policy functions; only threads, memory and time are made up.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <vector>

#include "agenda.hpp"
#include "idle_set.hpp"
#include "load.hpp"
#include "parameters.hpp"
#include "place.hpp"

namespace steal_policy {

struct Result {
  Time makespan = 0;  // in which there was something to do
  Time idle = 0;      // of all loops, in that time
  Time wait_p99 = 0;  // from when a task was there until it ran
  std::uint64_t tasks = 0;
  std::uint64_t steals = 0;  // from loops, one or more tasks each
  std::uint64_t far_steals = 0;
  std::uint64_t failed = 0;  // victims that had nothing
  std::uint64_t wakes = 0;
  bool every_task_ran_once = false;

  bool operator==(const Result&) const = default;
};

class Loop;

// What all loops share.
class Machine {
 public:
  Machine(const std::vector<coil::detail::Processor>& places, const Load& load,
          const Policy& policy, const Costs& costs, std::uint64_t seed);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  // Once.
  [[nodiscard]] Result run();

 private:
  friend class Loop;

  Step<bool> deliver();
  [[nodiscard]] bool busy() const noexcept { return pending_ != 0; }
  [[nodiscard]] Time busy_time() const noexcept {
    return busy_time_ + (busy() ? agenda_.now() - busy_since_ : 0);
  }
  void is_there(std::uint32_t task);
  void is_begun(std::uint32_t task) { waits_.push_back(agenda_.now() - there_at_[task]); }
  void is_done(std::uint32_t task);

  const std::vector<coil::detail::Processor>& places_;
  const Load& load_;
  const Policy& policy_;
  const Costs& costs_;
  Agenda agenda_;
  coil::detail::IdleSet idle_set_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::uint32_t> injector_;  // from injector_head_ on
  std::size_t injector_head_ = 0;
  Time injector_free_at_ = 0;

  std::vector<std::uint8_t> ran_;  // how many times
  std::vector<std::uint8_t> children_left_;
  std::vector<Time> there_at_;
  std::vector<Time> waits_;
  std::uint64_t pending_ = 0;
  Time busy_since_ = 0, busy_time_ = 0;
  std::coroutine_handle<> waits_for_quiet_;
  Result result_;
};

}  // namespace steal_policy
