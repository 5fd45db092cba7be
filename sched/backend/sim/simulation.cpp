#include "simulation.hpp"

#include <algorithm>
#include <vector>

#include "../../worker_pool.hpp"
#include "sim_backend.hpp"

namespace coil::detail {

bool Simulation::take_messages() {
  bool any = false;
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    Worker& worker = pool_.worker(i);
    set_current_worker(&worker);
    any |= worker.drain_inbox();
    if (worker.backend().wants_poll()) any |= worker.poll() != 0;
    worker.fire_timers();
  }
  return any;
}

// Some loop runs one thing. One that has nothing steals first, so that tasks move as they would.
bool Simulation::step() {
  const std::size_t start = random_.below(pool_.size());
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    Worker& worker = pool_.worker((start + i) % pool_.size());
    set_current_worker(&worker);
    if (!worker.has_ready()) (void)worker.take_from_others();
    if (worker.run_one([this](std::size_t n) { return random_.below(n); })) return true;
  }
  return false;
}

bool Simulation::advance_time() {
  TimePoint next = never;
  for (std::size_t i = 0; i < pool_.size(); ++i)
    next = std::min(next, pool_.worker(i).timers().next_deadline());
  if (next == never) return false;
  static_cast<SimBackend&>(pool_.worker(0).backend()).clock().advance_to(next);
  return true;
}

bool Simulation::run_until(const Atomic<bool>& done) {
  Worker* before = current_worker();
  bool alive = true;
  while (alive && !done.load(std::memory_order_seq_cst)) {
    set_current_worker(&pool_.worker(0));
    pool_.check_interrupt();
    const bool messages = take_messages();
    alive = step() || messages || advance_time();
  }
  set_current_worker(before);
  return alive;
}

std::string Simulation::describe_deadlock() {
  constexpr std::size_t shown_max = 20;
  const auto tasks = pool_.live_tasks();
  std::vector<std::string> lines;
  for (auto task = tasks.rbegin(); task != tasks.rend() && lines.size() < shown_max; ++task) {
    const Suspension* leaf = (*task)->leaf();
    lines.push_back("'" + (*task)->name() + "' (" + (leaf != nullptr ? leaf->kind->name : "?") +
                    ")");
  }
  std::string text = std::to_string(tasks.size()) +
                     (tasks.size() == 1 ? " task waits for ever: " : " tasks wait for ever: ");
  for (std::size_t i = 0; i < lines.size(); ++i) text += (i == 0 ? "" : ", ") + lines[i];
  if (tasks.size() > lines.size()) text += ", ...";
  return text;
}

}  // namespace coil::detail
