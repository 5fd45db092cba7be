// What a simulated loop does while it has tasks.
#include "loop.hpp"

#include <algorithm>

namespace steal_policy {

Loop::Loop(Machine& machine, unsigned index, std::uint64_t seed)
    : machine_(machine), index_(index), order_(machine.places_, {}, index), random_(seed) {}

Step<bool> Loop::main() {
  for (;;)
    if (!co_await turn()) co_await idle();
}

void Loop::arrive(std::uint32_t task) {
  ring_.push_back(task);
  wake();
}

void Loop::wake() {
  woken_ = true;
  if (sleeper_) machine_.agenda_.resume_at(now() + costs().wake, std::exchange(sleeper_, nullptr));
}

Step<bool> Loop::turn() {
  int ran = 0;
  while (ran < turn_budget && co_await next_task()) {
    co_await run(next_);
    ++ran;
  }
  bool any = ran != 0;
  while (!ring_.empty()) {
    const std::uint32_t task = ring_.front();
    ring_.pop_front();
    co_await sleep(costs().spawn);
    co_await push(task);
    any = true;
  }
  co_return any || has_ready();
}

Step<bool> Loop::next_task() {
  if (++tick_ % other_interval == 0) co_await take_injected();
  if (!queue_.tasks.empty()) {
    co_await sleep_after(queue_.free_at, costs().pop);
    if (!queue_.tasks.empty()) {
      next_ = queue_.tasks.front();
      queue_.tasks.pop_front();
      co_return true;
    }
  }
  if (forks_.tasks.empty()) co_return false;
  co_await sleep_after(forks_.free_at, costs().pop);
  if (forks_.tasks.empty()) co_return false;
  next_ = forks_.tasks.back();
  forks_.tasks.pop_back();
  forks_.shared = std::min(forks_.shared, forks_.tasks.size());
  co_return true;
}

Step<bool> Loop::run(std::uint32_t task) {
  const Task& what = machine_.load_.tasks[task];
  if (what.forks || what.parent != nobody) co_return co_await run_forks(task);
  machine_.is_begun(task);
  co_await sleep(what.cost);
  for (std::uint32_t child = what.first; child < what.first + what.children; ++child) {
    co_await sleep(costs().spawn);
    machine_.is_there(child);
    co_await push(child);
  }
  machine_.is_done(task);
  co_return true;
}

// Down to a leaf, a child for others at each fork, and up again as far as both children are done.
Step<bool> Loop::run_forks(std::uint32_t id) {
  const auto& tasks = machine_.load_.tasks;
  machine_.is_begun(id);
  for (; tasks[id].forks; id = tasks[id].first) {
    co_await sleep(tasks[id].cost);
    machine_.children_left_[id] = 2;
    machine_.is_there(tasks[id].first);
    machine_.is_there(tasks[id].first + 1);
    forks_.tasks.push_back(tasks[id].first + 1);
    if (machine_.idle_set_.anyone_idle()) {
      forks_.shared = forks_.tasks.size();
      co_await notify();
    }
  }
  co_await sleep(tasks[id].cost);
  machine_.is_done(id);
  while ((id = tasks[id].parent) != nobody && --machine_.children_left_[id] == 0)
    machine_.is_done(id);
  co_return true;
}

Step<bool> Loop::push(std::uint32_t task) {
  auto& tasks = queue_.tasks;
  if (tasks.size() == queue_capacity) {
    const auto half = tasks.begin() + queue_capacity / 2;
    co_await sleep_after(machine_.injector_free_at_,
                         costs().injector + costs().moved_task * (half - tasks.begin()));
    // Thieves may have been here meanwhile.
    const auto end =
        tasks.begin() + static_cast<std::ptrdiff_t>(std::min(tasks.size(), queue_capacity / 2));
    machine_.injector_.insert(machine_.injector_.end(), tasks.begin(), end);
    tasks.erase(tasks.begin(), end);
  }
  tasks.push_back(task);
  co_return co_await notify();
}

Step<bool> Loop::wake_other(int loop) {
  if (loop < 0) co_return false;
  ++machine_.result_.wakes;
  co_await sleep(costs().wake_call);
  machine_.loops_[static_cast<std::size_t>(loop)]->wake();
  co_return true;
}

Step<bool> Loop::notify() {
  const int idle = machine_.idle_set_.claim_idle(index_);
  if (idle >= 0) co_await wake_other(idle);
  co_return true;
}

}  // namespace steal_policy
