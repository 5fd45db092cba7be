// How a task waits for a call of to_thread: the call is handed over as the task suspends, so that a
// cancel that is pending comes first.
#pragma once

#include <coil/detail/executor_call.hpp>
#include <coil/detail/future_awaiter.hpp>
#include <coil/future.hpp>

namespace coil::detail {

extern const LeafKind to_thread_leaf;

// To the default executor. What it throws completes the call's future.
void hand_to_default_executor(ExecutorCall& call) noexcept;

template <class R>
class ThreadWait final : public FutureAwaiter<R, true> {
 public:
  ThreadWait(ExecutorCall& call, const Future<R>& future)
      : FutureAwaiter<R, true>(FutureAccess::ref(future), FutureAccess::holder(future),
                               to_thread_leaf),
        call_(call) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this, [this] {
      hand_to_default_executor(call_);
      return this->target().completion().add(*this);
    });
  }

 private:
  ExecutorCall& call_;
};

}  // namespace coil::detail
