#include <coil/detail/unfinished_count.hpp>
#include <stdexcept>

namespace coil::detail {

void UnfinishedCount::wake_all(Waiter* first) noexcept {
  while (first != nullptr) {
    Waiter* next = first->next;  // before the wake: the waiter may be gone after it
    first->task->wake();
    first = next;
  }
}

UnfinishedCount::~UnfinishedCount() {
  Waiter* all = nullptr;
  {
    const SpinGuard guard(joiners_.lock());
    all = joiners_.pop_all();
    for (Waiter* waiter = all; waiter != nullptr; waiter = waiter->next)
      static_cast<Joiner*>(waiter)->refused = true;
  }
  wake_all(all);
}

bool UnfinishedCount::enter(Joiner& joiner, const Atomic<std::uint64_t>& accepted) noexcept {
  const SpinGuard guard(joiners_.lock());
  if (none(accepted)) return false;
  joiners_.push(joiner);
  return true;
}

void UnfinishedCount::one_done(const Atomic<std::uint64_t>& accepted) {
  Waiter* all = nullptr;
  {
    const SpinGuard guard(joiners_.lock());
    if (none(accepted)) throw std::invalid_argument("task_done() called too many times");
    done_.store(done_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    if (none(accepted)) all = joiners_.pop_all();
  }
  wake_all(all);
}

Waiter* UnfinishedCount::drained(std::uint64_t count,
                                 const Atomic<std::uint64_t>& accepted) noexcept {
  const SpinGuard guard(joiners_.lock());
  const std::uint64_t done = done_.load(std::memory_order_relaxed);
  const std::uint64_t left = accepted.load(std::memory_order_relaxed) - done;
  done_.store(done + (count < left ? count : left), std::memory_order_release);
  return none(accepted) ? joiners_.pop_all() : nullptr;
}

}  // namespace coil::detail
