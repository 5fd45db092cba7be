#include <coil/detail/cancel_work.hpp>
#include <coil/detail/completion_order.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/exceptions.hpp>

namespace coil::detail {

void CompletionOrder::watch(const std::vector<FutureBase*>& children) {
  if (children.empty()) return;
  nodes_ = std::vector<OrderNode>(children.size());
  turns_ = children.size();
  pending_.store(children.size(), std::memory_order_relaxed);
  references_.store(2, std::memory_order_relaxed);
  for (std::size_t i = 0; i < children.size(); ++i) {
    OrderNode& node = nodes_[i];
    node.wake = &child_done;
    node.target = FutureRef(children[i]);
    node.order = this;
    node.index = i;
  }
  // Apart: the first that ends may be seen by anybody, and needs all the rest in place.
  for (OrderNode& node : nodes_) {
    if (node.target->completion().add(node)) continue;
    line_up(node);  // done before the clock started: never too late
    count_down(1);
  }
}

void CompletionOrder::child_done(FutureWaiter& waiter) noexcept {
  auto& child = static_cast<OrderNode&>(waiter);
  CompletionOrder& self = *child.order;
  // As in asyncio, what ends after the limit is not given any more, however late somebody looks.
  if (self.deadline_ == never || now() < self.deadline_) self.line_up(child);
  self.count_down(1);
}

void CompletionOrder::line_up(OrderNode& child) noexcept {
  Taker* taker = nullptr;
  {
    const SpinGuard guard(line_.lock());
    taker = static_cast<Taker*>(line_.pop());
    if (taker != nullptr) {
      taker->outcome = Outcome::Child;
      taker->child = &child;
    } else {
      (last_ready_ != nullptr ? last_ready_->next_ready : first_ready_) = &child;
      last_ready_ = &child;
    }
  }
  if (taker != nullptr) taker->task->wake();
}

bool CompletionOrder::take_locked(Taker& taker) noexcept {
  if (turns_ == 0) {
    taker.outcome = Outcome::End;
    return true;
  }
  OrderNode* child = first_ready_;
  if (child == nullptr) return false;
  first_ready_ = child->next_ready;
  if (first_ready_ == nullptr) last_ready_ = nullptr;
  --turns_;
  taker.outcome = Outcome::Child;
  taker.child = child;
  return true;
}

bool CompletionOrder::take(Taker& taker) noexcept {
  const SpinGuard guard(line_.lock());
  return take_locked(taker);
}

bool CompletionOrder::take_or_join(Taker& taker, bool time_up) noexcept {
  const SpinGuard guard(line_.lock());
  if (take_locked(taker)) return true;
  --turns_;
  if (time_up) {
    taker.outcome = Outcome::TimeUp;
    return true;
  }
  line_.push(taker);
  return false;
}

void CompletionOrder::give_back_turn() noexcept {
  const SpinGuard guard(line_.lock());
  ++turns_;
}

void CompletionOrder::count_down(std::size_t children) noexcept {
  if (pending_.fetch_sub(children, std::memory_order_acq_rel) != children) return;
  drop();
}

// Acquire and release: the last one sees what the other side did.
void CompletionOrder::drop() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void CompletionOrder::release() noexcept {
  if (owners_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (pending_.load(std::memory_order_acquire) != 0) {
    std::size_t unlinked = 0;
    for (OrderNode& node : nodes_)
      if (node.target->completion().remove(node)) ++unlinked;
    if (unlinked != 0) count_down(unlinked);
  }
  drop();
}

constinit const LeafKind NextAwaiter::leaf_kind{"as_completed", &WaitLine::leave, nullptr};
constinit const TimerKind NextAwaiter::timer_kind{&NextAwaiter::expire, nullptr};

NextAwaiter::NextAwaiter(Ref<CompletionOrder> order) noexcept
    : Taker(leaf_kind, order->line()), Timer(timer_kind), order_(std::move(order)) {}

// A child may have woken the task already, which cannot run before it has suspended; and the timer
// expires on this thread only. So nobody minds that the timer comes second.
bool NextAwaiter::arm() noexcept {
  const TimePoint when = order_->deadline();
  if (order_->take_or_join(*this, when != never && now() >= when)) return false;
  joined_ = true;
  armed_ = when != never;
  if (armed_) arm_timer(*this, when);
  return true;
}

// Under the wheel's lock, within which the line's may be taken. The task is woken after it.
void NextAwaiter::expire(Timer& timer, CancelWork& work) noexcept {
  auto& self = static_cast<NextAwaiter&>(timer);
  const SpinGuard guard(self.line->lock());
  if (!self.linked) return;
  self.line->remove(self);
  self.outcome = CompletionOrder::Outcome::TimeUp;
  work.add_wake(*self.Suspension::task);
}

OrderNode* NextAwaiter::resume() {
  if (armed_) (void)disarm_timer(*this);
  if (aborted != Abort::None) [[unlikely]] {
    if (joined_) order_->give_back_turn();
    Suspension::task->throw_cancelled(aborted);
  }
  if (outcome == CompletionOrder::Outcome::TimeUp) throw TimeoutError();
  return child;
}

}  // namespace coil::detail
