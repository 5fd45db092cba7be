// Whoever opens the barrier, or breaks it, takes everybody out of the line in one critical section,
// tells each how it ended, and is done with the barrier: there is no draining.
#include <coil/barrier.hpp>

namespace coil {
namespace detail {

constinit const LeafKind BarrierWait::leaf_kind{"barrier", &BarrierWait::leave};

bool BarrierWait::arrive(bool stay) noexcept {
  Waiter* others = nullptr;
  {
    const SpinGuard guard(barrier_.line_.lock());
    if (barrier_.broken_) {
      place_ = aborted_before;
      return false;
    }
    if (barrier_.waiting_ + 1 < barrier_.parties_) {
      if (stay) {
        ++barrier_.waiting_;
        barrier_.line_.push(*this);
      }
      return true;
    }
    place_ = barrier_.waiting_;
    barrier_.waiting_ = 0;
    others = barrier_.line_.pop_all();
  }
  let_through(others, false);
  return false;
}

void BarrierWait::let_through(Waiter* waiter, bool broken) noexcept {
  for (int place = 0; waiter != nullptr; ++place) {
    Waiter* next = waiter->next;
    static_cast<BarrierWait*>(waiter)->place_ = broken ? reset_or_aborted : place;
    waiter->task->wake();
    waiter = next;
  }
}

HookResult BarrierWait::leave(Suspension& leaf, Abort kind) noexcept {
  auto& self = static_cast<BarrierWait&>(leaf);
  HookResult result;
  {
    const SpinGuard guard(self.barrier_.line_.lock());
    if (!self.linked) return result;  // it is through
    self.barrier_.line_.remove(self);
    --self.barrier_.waiting_;
  }
  self.aborted = kind;
  result.taken = true;
  self.task->wake();
  return result;
}

int BarrierWait::await_resume() {
  if (aborted != Abort::None) [[unlikely]]
    task->throw_cancelled(aborted);
  if (place_ == aborted_before) throw BrokenBarrierError("Barrier aborted");
  if (place_ == reset_or_aborted) throw BrokenBarrierError("Abort or reset of barrier");
  return place_;
}

}  // namespace detail

Barrier::Barrier(int parties) : parties_(parties) {
  if (parties < 1) throw std::invalid_argument("Barrier: parties must be >= 1");
}

void Barrier::break_up(bool broken) noexcept {
  detail::Waiter* all = nullptr;
  {
    const detail::SpinGuard guard(line_.lock());
    broken_ = broken;
    waiting_ = 0;
    all = line_.pop_all();
  }
  detail::BarrierWait::let_through(all, true);
}

detail::AlreadyDone Barrier::reset() noexcept {
  break_up(false);
  return {};
}

detail::AlreadyDone Barrier::abort() noexcept {
  break_up(true);
  return {};
}

int Barrier::n_waiting() const noexcept {
  const detail::SpinGuard guard(line_.lock());
  return waiting_;
}

bool Barrier::broken() const noexcept {
  const detail::SpinGuard guard(line_.lock());
  return broken_;
}

}  // namespace coil
