// The task that a coroutine runs in, without a look at the thread.
#pragma once

#include <coil/detail/promise_base.hpp>

namespace coil::detail {

// The awaitable that gives the running task without suspending.
class CurrentTask : public NativeAwaiter {
 public:
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) noexcept {
    task_ = self.promise().task;
    return false;
  }
  [[nodiscard]] TaskBase& await_resume() const noexcept { return *task_; }

 private:
  TaskBase* task_ = nullptr;
};

}  // namespace coil::detail
