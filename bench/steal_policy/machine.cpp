#include "machine.hpp"

#include <algorithm>

#include "loop.hpp"

namespace steal_policy {

namespace {

unsigned most_searchers(Searchers searchers, unsigned loops) {
  switch (searchers) {
    case Searchers::One:
      return 1;
    case Searchers::Quarter:
      return (loops + 3) / 4;
    case Searchers::Half:
      return coil::detail::steal_policy::searchers_max(loops);
    case Searchers::All:
      break;
  }
  return loops;
}

}  // namespace

Machine::Machine(const std::vector<coil::detail::Processor>& places, const Load& load,
                 const Policy& policy, const Costs& costs, std::uint64_t seed)
    : places_(places),
      load_(load),
      policy_(policy),
      costs_(costs),
      idle_set_(static_cast<unsigned>(places.size()),
                most_searchers(policy.searchers, static_cast<unsigned>(places.size()))),
      ran_(load.tasks.size()),
      children_left_(load.tasks.size()),
      there_at_(load.tasks.size()) {
  for (unsigned i = 0; i < places.size(); ++i)
    loops_.push_back(std::make_unique<Loop>(*this, i, seed * 1'000 + i));
}

Machine::~Machine() = default;

void Machine::is_there(std::uint32_t task) {
  if (pending_++ == 0) busy_since_ = agenda_.now();
  there_at_[task] = agenda_.now();
}

void Machine::is_done(std::uint32_t task) {
  ++ran_[task];
  ++result_.tasks;
  if (--pending_ != 0) return;
  busy_time_ += agenda_.now() - busy_since_;
  if (waits_for_quiet_) agenda_.resume_at(agenda_.now(), std::exchange(waits_for_quiet_, nullptr));
}

// Hands the tasks that arrive to their loops, on time.
Step<bool> Machine::deliver() {
  struct Quiet {
    Machine& machine;
    bool await_ready() const noexcept { return !machine.busy(); }
    void await_suspend(std::coroutine_handle<> who) const { machine.waits_for_quiet_ = who; }
    void await_resume() const noexcept {}
  };
  for (const Arrival& arrival : load_.arrivals) {
    if (arrival.when_quiet) {
      co_await Quiet{*this};
      co_await agenda_.sleep(arrival.at);
    } else {
      co_await agenda_.sleep(arrival.at - agenda_.now());
    }
    is_there(arrival.task);
    loops_[arrival.loop]->arrive(arrival.task);
  }
  co_return true;
}

Result Machine::run() {
  std::vector<Step<bool>> steps;
  steps.reserve(loops_.size() + 1);
  for (auto& loop : loops_) steps.push_back(loop->main());
  steps.push_back(deliver());
  for (auto& step : steps) step.start();
  // Ends once all loops sleep.
  while (agenda_.run_next()) {
  }
  result_.makespan = busy_time();
  for (auto& loop : loops_)
    if (loop->idle_) result_.idle += result_.makespan - loop->idle_since_;
  if (!waits_.empty()) {
    const auto p99 = waits_.begin() + static_cast<std::ptrdiff_t>(waits_.size() * 99 / 100);
    std::nth_element(waits_.begin(), p99, waits_.end());
    result_.wait_p99 = *p99;
  }
  result_.every_task_ran_once =
      !busy() && std::all_of(ran_.begin(), ran_.end(), [](auto times) { return times == 1; });
  return result_;
}

}  // namespace steal_policy
