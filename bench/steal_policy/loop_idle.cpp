// What a simulated loop does when it has nothing to do: search, spin, sleep.
#include <algorithm>

#include "loop.hpp"
#include "steal_policy.hpp"

namespace steal_policy {

namespace rules = coil::detail::steal_policy;

Time Loop::distance_to(unsigned victim) const noexcept {
  switch (coil::detail::distance(machine_.places_[index_], machine_.places_[victim], {})) {
    case 0:
      return costs().same_l3;
    case 1:
      return costs().same_node;
    default:
      return costs().far;
  }
}

// In the order in which they are asked.
void Loop::choose_victims(bool full) {
  victims_.clear();
  const bool far = full || near_rounds_ >= policy().near_rounds;
  order_.round(random_, full ? Policy::all : policy().ring_victims, [&](unsigned victim) {
    if (!far && machine_.places_[victim].node != machine_.places_[index_].node) return true;
    victims_.push_back(victim);
    return false;
  });
  ++near_rounds_;
  if (policy().victims == Victims::Rings || full) return;
  const auto loops = machine_.loops_.size();
  for (unsigned& victim : victims_)
    victim = static_cast<unsigned>((index_ + 1 + random_.below(loops - 1)) % loops);
}

Step<bool> Loop::steal_round(Reach reach) {
  choose_victims(reach == Reach::Hidden);
  for (const unsigned victim : victims_)
    if (co_await steal_from(victim, reach)) co_return true;
  co_return false;
}

std::size_t Loop::share_of(std::size_t available) const noexcept {
  return policy().share == Share::One ? std::min<std::size_t>(available, 1)
                                      : rules::queue_share(available);
}

// Gives how many.
std::size_t Loop::take_from(Loop& victim, Reach reach) {
  auto& tasks = victim.queue_.tasks;
  if (!tasks.empty()) {
    const std::size_t n = std::min(share_of(tasks.size()), queue_capacity / 2);
    const auto end = tasks.begin() + static_cast<std::ptrdiff_t>(n);
    queue_.tasks.insert(queue_.tasks.end(), tasks.begin(), end);
    tasks.erase(tasks.begin(), end);
    return n;
  }
  Forks& forks = victim.forks_;
  if (reach == Reach::Hidden && !forks.tasks.empty())
    forks.shared = std::max<std::size_t>(forks.shared, 1);
  std::size_t n = std::min<std::size_t>(forks.shared, 1);
  if (policy().share == Share::Half) n = rules::queue_share(forks.shared);
  const auto end = forks.tasks.begin() + static_cast<std::ptrdiff_t>(n);
  forks_.tasks.insert(forks_.tasks.end(), forks.tasks.begin(), end);
  forks.tasks.erase(forks.tasks.begin(), end);
  forks.shared -= n;
  return n;
}

Step<bool> Loop::steal_from(unsigned index, Reach reach) {
  Loop& victim = *machine_.loops_[index];
  const Time cost = distance_to(index);
  co_await sleep(cost);
  if (reach == Reach::Hidden && victim.queue_.tasks.empty() && victim.forks_.shared == 0 &&
      !victim.forks_.tasks.empty())
    co_await sleep(costs().barrier);
  while (victim.has_ready() && std::max(victim.queue_.free_at, victim.forks_.free_at) > now())
    co_await sleep_after(std::max(victim.queue_.free_at, victim.forks_.free_at), 0);
  const std::size_t n = take_from(victim, reach);
  if (n == 0) {
    if (machine_.busy()) ++machine_.result_.failed;
    co_return false;
  }
  left_ = !queue_.tasks.empty() ? n - 1 : victim.forks_.tasks.empty() ? 0 : rules::wakes_max;
  victim.queue_.free_at = victim.forks_.free_at = now() + cost;
  ++machine_.result_.steals;
  if (machine_.places_[index].node != machine_.places_[index_].node) ++machine_.result_.far_steals;
  co_await sleep(static_cast<Time>(n) * costs().moved_task);
  co_return true;
}

Step<bool> Loop::take_injected() {
  auto size = [this] { return machine_.injector_.size() - machine_.injector_head_; };
  if (size() == 0) co_return false;
  machine_.injector_free_at_ = std::max(machine_.injector_free_at_, now()) + costs().injector;
  co_await sleep(machine_.injector_free_at_ - now());
  const std::size_t n = std::min(size(), rules::injector_share(size(), machine_.loops_.size()));
  const auto begin =
      machine_.injector_.begin() + static_cast<std::ptrdiff_t>(machine_.injector_head_);
  queue_.tasks.insert(queue_.tasks.end(), begin, begin + static_cast<std::ptrdiff_t>(n));
  machine_.injector_head_ += n;
  if (n != 0) left_ = n - 1 + size();
  co_await sleep(static_cast<Time>(n) * costs().moved_task);
  co_return n != 0;
}

Step<bool> Loop::search(Reach reach) {
  if (co_await take_injected()) co_return true;
  co_return searching_&& co_await steal_round(reach);
}

Step<bool> Loop::found_work() {
  const std::size_t left = std::exchange(left_, 0);
  if (!std::exchange(searching_, false)) co_return false;
  const bool last = machine_.idle_set_.end_search();
  std::size_t wakes = rules::wakes(last, left, policy().wakes_max);
  while (wakes != 0 && co_await notify_more()) --wakes;
  co_return true;
}

Step<bool> Loop::notify_more() {
  const auto& loops = machine_.loops_;
  bool more = machine_.injector_head_ != machine_.injector_.size();
  for (std::size_t i = 0; !more && i < loops.size(); ++i) {
    co_await sleep(costs().look);
    more = loops[(index_ + i) % loops.size()]->has_ready();
  }
  if (!more) co_return false;
  const int idle = machine_.idle_set_.claim_any(index_);
  co_return co_await wake_other(idle);
}

Step<bool> Loop::spin(Time until) {
  Time patience = now() + rules::fork_patience_ns;
  const auto loops = static_cast<unsigned>(machine_.loops_.size());
  const unsigned rounds =
      policy().rounds_per_clock != 0 ? policy().rounds_per_clock : rules::rounds_per_clock(loops);
  for (;;) {
    for (unsigned i = 0; i < rounds; ++i) {
      if (work_in_sight() || co_await search(Reach::Public)) co_return true;
      co_await sleep(costs().pause);
    }
    if (now() >= patience) {
      if (co_await search(Reach::Hidden)) co_return true;
      patience = now() + rules::fork_patience_ns;
    }
    if (now() >= until) co_return work_in_sight();
  }
}

Step<bool> Loop::idle() {
  const Time begin = now();
  idle_ = true;
  idle_since_ = machine_.busy_time();
  near_rounds_ = 0;
  searching_ = machine_.idle_set_.begin_search();
  bool found = co_await search(Reach::Public) || work_in_sight();
  const Time budget = spin_budget_.next().count();
  if (!found && budget > 0) found = co_await spin(begin + budget);
  if (!found) co_await park();
  co_await found_work();
  spin_budget_.waited(coil::Duration(now() - begin));
  idle_ = false;
  machine_.result_.idle += machine_.busy_time() - idle_since_;
  co_return true;
}

Step<Loop::LastLook> Loop::look_once_more() {
  if (work_in_sight() || machine_.injector_head_ != machine_.injector_.size())
    co_return LastLook::Work;
  bool hidden = false;
  for (const auto& other : machine_.loops_) {
    co_await sleep(costs().look);
    if (!other->queue_.tasks.empty() || other->forks_.shared != 0) co_return LastLook::Work;
    hidden |= !other->forks_.tasks.empty();
  }
  if (!hidden) co_return work_in_sight() ? LastLook::Work : LastLook::Nothing;
  co_await sleep(costs().barrier);
  co_return co_await steal_round(Reach::Hidden) ? LastLook::Hidden : LastLook::Nothing;
}

Step<bool> Loop::park() {
  struct Park {
    Loop& loop;
    bool await_ready() const noexcept { return loop.woken_ || !loop.ring_.empty(); }
    void await_suspend(std::coroutine_handle<> who) const { loop.sleeper_ = who; }
    void await_resume() const noexcept {}
  };
  auto& idle_set = machine_.idle_set_;
  if (std::exchange(searching_, false)) (void)idle_set.end_search();
  woken_ = false;
  idle_set.publish(index_);
  const LastLook look = co_await look_once_more();
  if (look == LastLook::Nothing) co_await Park{*this};
  if (!idle_set.retract(index_)) {
    searching_ = true;
    (void)co_await search(Reach::Public);
  }
  if (look == LastLook::Hidden) co_await notify_more();
  co_return true;
}

}  // namespace steal_policy
