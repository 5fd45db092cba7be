// What a loop does when it has nothing to do: search, spin, sleep. The protocol is in idle_set.hpp.
#include <coil/detail/fork_wait.hpp>

#include "steal_policy.hpp"
#include "worker.hpp"
#include "worker_pool.hpp"

namespace coil::detail {
namespace {

constexpr Duration fork_patience = std::chrono::nanoseconds(steal_policy::fork_patience_ns);

}  // namespace

bool Worker::take_injected() noexcept {
  Runnable* batch[steal_policy::injector_batch];
  const std::size_t share = steal_policy::injector_share(pool_.injector().size(), pool_.size());
  const std::size_t n = pool_.injector().pop(batch, share);
  if (n != 0) left_ = n - 1 + pool_.injector().size();
  for (std::size_t i = 0; i < n; ++i) {
    auto& task = static_cast<TaskBase&>(*batch[i]);
    if (!queue_.push(&task)) pool_.injector().push(task);
  }
  return n != 0;
}

// Half of the tasks, or else the oldest child of a fork, which is the biggest.
bool Worker::steal_into(Worker& thief, Reach reach) noexcept {
  TaskBase* batch[queue_capacity / 2];
  const std::size_t n = queue_.steal(batch, queue_capacity / 2);
  if (n == 0) {
    ForkedChild* child = forks_.steal();
    while (child == nullptr && reach == Reach::Hidden && hides_forks_ && forks_.force())
      child = forks_.steal();
    if (child == nullptr) return false;
    thief.left_ = forks_.empty() ? 0 : steal_policy::wakes_max;
    thief.stolen_by_.add();
    stolen_from_.add_shared(1);
    thief.local_.push(ForkWait::branch_of(*child));
    return true;
  }
  thief.left_ = n - 1;
  thief.stolen_by_.add(n);
  stolen_from_.add_shared(n);
  // A thief's queue is empty: it has just looked, and only it pushes.
  for (std::size_t i = 0; i < n; ++i)
    if (!thief.queue_.push(batch[i])) pool_.injector().push(*batch[i]);
  return true;
}

bool Worker::steal_round(Reach reach) noexcept {
  if (!pool_.settings().steal) return false;
  auto steal = [this, reach](unsigned victim) {
    return pool_.worker(victim).steal_into(*this, reach);
  };
  return reach == Reach::Hidden ? steal_order_.round(random_, steal)
                                : steal_order_.round(random_, steal_policy::ring_victims, steal);
}

// What lies in the injector anybody takes, searching or not: the loop that was woken for it may
// need 25 us to come.
bool Worker::search(Reach reach) noexcept {
  return !alone_ && (take_injected() || (searching_ && steal_round(reach)));
}

bool Worker::work_in_sight() noexcept {
  return has_ready() || !inbox_.empty() || !cancels_.empty() || backend_->wants_poll();
}

// One that found work passes the search on if it was the last to search, for there may be more, or
// if it has seen more.
void Worker::found_work() noexcept {
  const std::size_t left = std::exchange(left_, 0);
  if (!std::exchange(searching_, false)) return;
  std::size_t wakes = steal_policy::wakes(pool_.idle_set().end_search(), left);
  while (wakes != 0 && pool_.notify_more(index_)) --wakes;
}

// A loop that forks shares what it has with its next fork, as soon as it sees us. So what it hides
// we take only if that does not come.
bool Worker::spin(TimePoint until) noexcept {
  TimePoint patience = Clock::now() + fork_patience;
  const unsigned rounds = steal_policy::rounds_per_clock(static_cast<unsigned>(pool_.size()));
  while (!pool_.stopping()) {
    for (unsigned i = 0; i < rounds; ++i) {
      if (work_in_sight() || search(Reach::Public)) return true;
      spin_pause();
    }
    const TimePoint now = backend_->now();
    if (now >= patience) {
      if (search(Reach::Hidden)) return true;
      patience = now + fork_patience;
    }
    if (timers_.hint() <= now) return true;  // turn() fires it
    if (now >= until) break;
  }
  return work_in_sight();
}

void Worker::idle() {
  const TimePoint begin = Clock::now();
  idle_clock_.begin(begin);
  if (!alone_) searching_ = pool_.idle_set().begin_search();
  const bool found = search(Reach::Public) || work_in_sight() ||
                     (spin_budget_.next() > Duration::zero() && spin(begin + spin_budget_.next()));
  if (!found) park();
  found_work();  // whatever it was: nobody counts as searching while it runs tasks
  spin_budget_.waited(idle_clock_.end(Clock::now()));
}

// What was pushed before we were seen idle woke nobody.
Worker::LastLook Worker::look_once_more() noexcept {
  if (work_in_sight() || pool_.stopping()) return LastLook::Work;
  if (alone_) return LastLook::Nothing;
  if (!pool_.injector().empty()) return LastLook::Work;
  if (!shares_) return LastLook::Nothing;
  bool open = false;
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    const Worker& other = pool_.worker(i);
    if (!other.queue_.empty() || other.forks_.has_public()) return LastLook::Work;
    open |= other.hides_forks_ && other.forks_.is_open();
  }
  if (!open) return LastLook::Nothing;
  process_barrier();
  return steal_round(Reach::Hidden) ? LastLook::Hidden : LastLook::Nothing;
}

void Worker::park() {
  IdleSet& idle_set = pool_.idle_set();
  if (searching_) {
    idle_set.end_search();
    searching_ = false;
  }
  sleeping_.store(true, std::memory_order_seq_cst);
  if (!alone_) idle_set.publish(index_);
  const LastLook look = look_once_more();
  if (look == LastLook::Nothing) {
    parks_.add();
    completions_.add(backend_->park(timers_.next_deadline()));
  }
  sleeping_.store(false, std::memory_order_seq_cst);
  // Taken out of the set by somebody: we search on their behalf, and are counted already.
  if (!alone_ && !idle_set.retract(index_)) {
    searching_ = true;
    (void)search(Reach::Public);
  }
  // A loop that found us at it has gone to sleep, and there may be more.
  if (look == LastLook::Hidden) (void)pool_.notify_more(index_);
}

}  // namespace coil::detail
