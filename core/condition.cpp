// A task that waits is in the condition's line before it releases the lock, so that whoever takes
// the lock next finds it there. Notified, it goes to the end of the lock's line.
#include <coil/cancel_scope.hpp>
#include <coil/condition.hpp>
#include <stdexcept>

namespace coil {
namespace detail {
namespace {

constinit const LeafKind condition_leaf{"condition", &WaitLine::leave};

// Releases the lock and waits. Does not throw: the lock has to be taken again first.
class NotifyWait : public Waiter {
 public:
  struct Outcome {
    Abort aborted;
    bool released;
  };

  NotifyWait(WaitLine& line, Permits& lock) noexcept : Waiter(condition_leaf, line), lock_(lock) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this, [this] {
      released_ = true;
      if (Waiter* next = line_up_and_release(*line, *this, lock_)) next->task->wake();
      return true;
    });
  }
  [[nodiscard]] Outcome await_resume() const noexcept { return {aborted, released_}; }

 private:
  Permits& lock_;
  bool released_ = false;
};

void wake_some(WaitLine& line, int n) noexcept {
  for (; n > 0; --n) {
    Waiter* first = nullptr;
    {
      const SpinGuard guard(line.lock());
      first = line.pop();
    }
    if (first == nullptr) return;
    first->task->wake();
  }
}

}  // namespace
}  // namespace detail

Coro<> Condition::wait() {
  if (!locked()) throw std::runtime_error("cannot wait on un-acquired lock");
  const auto [aborted, released] = co_await detail::NotifyWait(line_, lock_->permits_);
  // A cancel cannot end this one, it is kept: whoever called holds the lock, and will release it.
  if (released) co_await detail::PermitWait(lock_->permits_, detail::relock_leaf);
  detail::TaskBase& task = co_await detail::CurrentTask();
  auto cancelled = aborted;
  if (cancelled == detail::Abort::None) {
    cancelled = task.take_cancel();
    if (cancelled == detail::Abort::None) co_return;
    // We were notified, and shall not do anything about it: somebody else may.
    detail::wake_some(line_, 1);
  }
  task.throw_cancelled(cancelled);
}

void Condition::notify(int n) {
  if (!locked()) throw std::runtime_error("cannot notify on un-acquired lock");
  detail::wake_some(line_, n);
}

void Condition::notify_all() {
  if (!locked()) throw std::runtime_error("cannot notify on un-acquired lock");
  detail::Waiter* waiter = nullptr;
  {
    const detail::SpinGuard guard(line_.lock());
    waiter = line_.pop_all();
  }
  while (waiter != nullptr) {
    detail::Waiter* next = waiter->next;
    waiter->task->wake();
    waiter = next;
  }
}

}  // namespace coil
