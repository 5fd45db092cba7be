// One simulated loop: sched/worker.cpp and worker_idle.cpp, retold with a clock of our own.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <vector>

#include "machine.hpp"
#include "spin_budget.hpp"
#include "steal_order.hpp"

namespace steal_policy {

class Loop {
 public:
  Loop(Machine& machine, unsigned index, std::uint64_t seed);

  Step<bool> main();
  // A completion: seen when the loop looks at its ring next.
  void arrive(std::uint32_t task);
  void wake();

 private:
  friend class Machine;
  static constexpr std::size_t queue_capacity = 256;
  static constexpr int turn_budget = 64;
  static constexpr unsigned other_interval = 61;

  // Whoever takes something holds the queue's cache line meanwhile; the next one waits.
  struct Queue {
    std::deque<std::uint32_t> tasks;
    Time free_at = 0;
  };
  // As ForkDeque: the first `shared` of the tasks are public.
  struct Forks {
    std::deque<std::uint32_t> tasks;
    std::size_t shared = 0;
    Time free_at = 0;
  };

  Step<bool> turn();
  Step<bool> next_task();  // into next_
  Step<bool> run(std::uint32_t task);
  Step<bool> run_forks(std::uint32_t task);
  Step<bool> push(std::uint32_t task);
  Step<bool> notify();
  Step<bool> notify_more();
  Step<bool> wake_other(int loop);

  enum class Reach : bool { Public, Hidden };
  enum class LastLook : std::uint8_t { Nothing, Work, Hidden };
  Step<bool> idle();
  Step<bool> search(Reach reach);
  Step<bool> take_injected();
  Step<bool> steal_round(Reach reach);
  Step<bool> steal_from(unsigned victim, Reach reach);
  Step<bool> spin(Time until);
  Step<bool> park();
  Step<LastLook> look_once_more();
  Step<bool> found_work();

  void choose_victims(bool full);
  [[nodiscard]] std::size_t share_of(std::size_t available) const noexcept;
  std::size_t take_from(Loop& victim, Reach reach);
  [[nodiscard]] Time distance_to(unsigned victim) const noexcept;
  [[nodiscard]] bool has_ready() const noexcept {
    return !queue_.tasks.empty() || !forks_.tasks.empty();
  }
  [[nodiscard]] bool work_in_sight() const noexcept { return has_ready() || !ring_.empty(); }
  [[nodiscard]] auto sleep(Time time) noexcept { return machine_.agenda_.sleep(time); }
  [[nodiscard]] auto sleep_after(Time free_at, Time time) noexcept {
    return sleep(std::max(free_at - now(), Time{0}) + time);
  }
  [[nodiscard]] Time now() const noexcept { return machine_.agenda_.now(); }
  [[nodiscard]] const Costs& costs() const noexcept { return machine_.costs_; }
  [[nodiscard]] const Policy& policy() const noexcept { return machine_.policy_; }

  Machine& machine_;
  unsigned index_;
  coil::detail::StealOrder order_;
  coil::detail::Random random_;
  coil::detail::SpinBudget spin_budget_;
  Queue queue_;
  Forks forks_;
  std::deque<std::uint32_t> ring_;
  std::uint32_t next_ = 0;
  unsigned tick_ = 0;

  bool searching_ = false;
  std::size_t left_ = 0;      // seen where the loop found work last
  unsigned near_rounds_ = 0;  // in vain, since the loop became idle
  std::vector<unsigned> victims_;
  bool woken_ = false;
  std::coroutine_handle<> sleeper_;
  bool idle_ = false;
  Time idle_since_ = 0;  // in busy time
};

}  // namespace steal_policy
