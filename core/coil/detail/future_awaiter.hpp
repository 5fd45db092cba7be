// How a task waits for a future or another task.
#pragma once

#include <coil/detail/future_state.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/suspension.hpp>
#include <coil/exceptions.hpp>
#include <exception>
#include <utility>

namespace coil::detail {

extern const LeafKind future_leaf;    // a cancel goes on to the awaited one
extern const LeafKind shielded_leaf;  // a cancel ends the wait and leaves the awaited one alone
extern const LeafKind joining_leaf;   // no cancel gets through

class FutureWait : public NativeAwaiter, public Suspension, public FutureWaiter {
 public:
  explicit FutureWait(FutureRef target, const LeafKind& kind = future_leaf) noexcept;

  [[nodiscard]] bool await_ready() const noexcept { return target_->done(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    TaskBase& waiter = *self.promise().task;
    if (target_.get() == &waiter) [[unlikely]]
      waiter.throw_awaits_itself();
    return waiter.suspend(self, *this, [this] { return target_->completion().add(*this); });
  }
  // For those who only want to know that it is done.
  void await_resume() { check_abort(); }
  [[nodiscard]] FutureBase& target() const noexcept { return *target_; }

  // The cancel that aborted this wait was handed on: how the target ends decides.
  bool forwarded = false;

  // The task that waits, if the waiter is a FutureWait: under the completion's lock.
  [[nodiscard]] static TaskBase* task_of(const FutureWaiter& waiter) noexcept {
    return waiter.wake == &on_done ? static_cast<const FutureWait&>(waiter).task : nullptr;
  }

 protected:
  void check_abort();
  // Throws unless there is a value. A cancellation is thrown as a copy: that costs half of what
  // std::rethrow_exception does, and a CancelledError has no identity that anybody could miss.
  COIL_INLINED void check_result() {
    if (aborted != Abort::None && cancel_shows()) [[unlikely]]
      task->throw_cancelled(aborted);
    const auto phase = target_->phase();
    if (phase == FutureBase::Phase::Value) [[likely]]
      return;
    if (phase == FutureBase::Phase::Cancelled) {
      if (TaskBase* self = level_cancelled_task()) self->throw_cancelled(Abort::Level);
      throw CancelledError(held_cancelled_error(target_->error()));
    }
    TaskBase::adopt_trace(*target_);
    std::rethrow_exception(target_->error());
  }

 private:
  // The running task, if a scope around it is cancelled, which may have reached the target first:
  // the CancelledError is that scope's then, for it to catch.
  [[nodiscard]] static TaskBase* level_cancelled_task() noexcept;
  static void on_done(FutureWaiter& waiter) noexcept;
  // The cancel that aborted this wait is to be thrown here; else how the target ended decides.
  [[nodiscard]] bool cancel_shows() noexcept;

  FutureRef target_;
};

template <class T, bool move_out>
class FutureAwaiter : public FutureWait {
 public:
  FutureAwaiter(FutureRef target, ValueHolder<T>& holder, const LeafKind& kind = future_leaf)
      : FutureWait(std::move(target), kind), holder_(holder) {}

  COIL_INLINED T await_resume() {
    check_result();
    if constexpr (move_out) {
      return holder_.slot().take();
    } else {
      return holder_.slot().copy();
    }
  }

 private:
  ValueHolder<T>& holder_;
};

}  // namespace coil::detail
