#include <algorithm>
#include <coil/cancel_scope.hpp>
#include <coil/detail/check.hpp>
#include <coil/detail/counted.hpp>
#include <coil/detail/task_base.hpp>
#include <mutex>

namespace coil {

using detail::Ref;
using detail::TaskBase;

// What a Canceller holds on to. A canceller inside cancel() keeps the scope from ending.
struct CancelScope::Link : detail::Counted<CancelScope::Link> {
  std::mutex mutex;
  CancelScope* scope = nullptr;
};

constinit const detail::TimerKind CancelScope::timer_kind{&CancelScope::expire, nullptr};

CancelScope::CancelScope(const CancelScopeOptions& options) : Timer(timer_kind) {
  ScopeNode::deadline.store(options.deadline, std::memory_order_relaxed);
  ScopeNode::shield.store(options.shield, std::memory_order_relaxed);
}

CancelScope::CancelScope(TimeLimit limit) : Timer(timer_kind) {
  if (!limit.has_value()) return;
  ScopeNode::deadline.store(limit.deadline(detail::now()), std::memory_order_relaxed);
  ahead_ = limit.value() > Duration::zero();
}

CancelScope::~CancelScope() {
  COIL_CHECK(!entered_, "a cancel scope is destroyed while its body runs");
}

void CancelScope::enter(TaskBase& task) {
  task.push_scope(*this);
  entered_ = true;
  if (link_) task.end_solo();
  const TimePoint when = deadline();
  if (cancelled.load(std::memory_order_relaxed)) {
    task.flag_level();
  } else if (when == detail::never) {
    return;
  } else if (ahead_) {
    // Nobody else knows of the scope yet. Another look at the clock would cost more than the timer.
    timer_armed_ = true;
    arm_timer(*this, when);
  } else {
    set_deadline(when);
  }
}

bool CancelScope::leave(const std::exception_ptr& error) {
  disarm();
  if (link_) {  // the body has ended: nobody asks for the first one any more
    const std::lock_guard lock(link_->mutex);
    link_->scope = nullptr;
  }
  ScopeNode::task->pop_scope(*this);
  entered_ = false;
  if (!error || !cancel_called() || !detail::is_level_cancelled_error(error)) return false;
  // An outer scope that is cancelled too, and visible, takes it.
  if (!ScopeNode::shield.load(std::memory_order_relaxed) &&
      detail::effectively_cancelled(ScopeNode::parent))
    return false;
  caught_ = true;
  return true;
}

void CancelScope::cancel(std::string_view reason) {
  if (mark_cancelled(reason) && entered_) deliver();
}

void CancelScope::deliver() { TaskBase::deliver_level(Ref<TaskBase>(ScopeNode::task)); }

// Under the wheel's lock, which leave() takes too: the scope is alive.
void CancelScope::expire(detail::Timer& timer, detail::CancelWork& work) noexcept {
  auto& self = static_cast<CancelScope&>(timer);
  if (self.mark_cancelled("deadline exceeded")) work.add_level(*self.ScopeNode::task);
}

detail::Ref<CancelScope::Link> CancelScope::link() noexcept {
  const detail::SpinGuard guard(lock_);
  return link_;
}

// Two tasks on two loops may ask for the first one at once: they get the same.
Canceller CancelScope::canceller() {
  if (auto link = this->link()) return Canceller(std::move(link));
  detail::Ref<Link> made(new Link, detail::AdoptRef{});
  made->scope = this;
  {
    const detail::SpinGuard guard(lock_);
    if (!link_) link_ = made;
  }
  if (entered_) ScopeNode::task->end_solo();
  return Canceller(this->link());
}

Canceller::Canceller(detail::Ref<CancelScope::Link> link) noexcept : link_(std::move(link)) {}
Canceller::Canceller() noexcept = default;
Canceller::Canceller(const Canceller& other) noexcept = default;
Canceller& Canceller::operator=(const Canceller& other) noexcept = default;
Canceller::~Canceller() = default;

void Canceller::cancel(std::string_view reason) const {
  if (!link_) return;
  Ref<TaskBase> task;
  {
    const std::lock_guard lock(link_->mutex);
    CancelScope* scope = link_->scope;
    if (scope == nullptr || !scope->mark_cancelled(reason)) return;
    if (scope->entered_) task = Ref<TaskBase>(scope->ScopeNode::task);
  }
  if (task) TaskBase::deliver_level(std::move(task));
}

bool CancelScope::cancel_called() const noexcept {
  return cancelled.load(std::memory_order_acquire);
}
bool CancelScope::shield() const noexcept {
  return ScopeNode::shield.load(std::memory_order_acquire);
}
void CancelScope::set_shield(bool on) {
  const bool was = ScopeNode::shield.exchange(on, std::memory_order_seq_cst);
  if (was && !on && entered_) deliver();
}

TimePoint CancelScope::deadline() const noexcept {
  return ScopeNode::deadline.load(std::memory_order_relaxed);
}

void CancelScope::disarm() noexcept {
  const detail::SpinGuard guard(lock_);
  if (std::exchange(timer_armed_, false)) (void)disarm_timer(*this);
}

void CancelScope::set_deadline(TimePoint when) {
  if (entered_) (void)detail::require_loop("CancelScope::set_deadline");
  ScopeNode::deadline.store(when, std::memory_order_relaxed);
  if (!entered_) return;
  disarm();
  if (when == detail::never || cancel_called()) return;
  if (when <= detail::now()) return cancel("deadline exceeded");
  const detail::SpinGuard guard(lock_);
  if (std::exchange(timer_armed_, true)) (void)disarm_timer(*this);  // another task was faster
  arm_timer(*this, when);
}

TimePoint current_effective_deadline() {
  TaskBase* task = detail::running_task();
  TimePoint nearest = detail::never;
  if (task == nullptr) return nearest;
  if (detail::effectively_cancelled(task->scope())) return TimePoint::min();
  for (detail::ScopeNode* node = task->scope(); node != nullptr; node = node->parent) {
    nearest = std::min(nearest, node->deadline.load(std::memory_order_relaxed));
    if (node->shield.load(std::memory_order_acquire)) break;
  }
  return nearest;
}

}  // namespace coil
