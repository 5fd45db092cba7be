// How a task waits for one operation of the kernel.
//
// Never resume on a cancel. The kernel may write into the buffer until the operation's last
// completion, and that completion alone decides:
//   -ECANCELED  the awaiter gets CancelledError (or, if nobody cancelled the task, the result)
//   res >= 0    it finished first: deliver it, the bytes have left the socket; an edge comes at
//               the next suspension
//   other       deliver the error
// Kept by tests/sched/cancel_race_test.cpp, "a completion that beats cancel is delivered".
#pragma once

#include <cerrno>
#include <coil/detail/operation.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/suspension.hpp>
#include <coil/detail/task_base.hpp>
#include <cstdint>

namespace coil::detail {

// Fill in the operation's request, then co_await it once: gives the kernel's result, >= 0 or
// -errno. Cancellable.
class OperationAwaiter : public NativeAwaiter, public Suspension, public Operation {
 public:
  // `leaf`: a LeafKind whose cancel is &OperationAwaiter::cancel_leaf, named after the operation.
  explicit OperationAwaiter(const LeafKind& leaf) noexcept : Suspension(leaf) {
    complete = &on_complete;
    finish = &on_finish;
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this, [this] {
      submit_operation(*this);
      return true;
    });
  }
  std::int32_t await_resume() {
    if (aborted != Abort::None) [[unlikely]] {
      if (result_ == -ECANCELED) task_of_leaf().throw_cancelled(aborted);
      if (aborted == Abort::Edge) task_of_leaf().defer_edge();
    }
    return result_;
  }

  static HookResult cancel_leaf(Suspension& leaf, Abort kind) noexcept {
    auto& self = static_cast<OperationAwaiter&>(leaf);
    HookResult result;
    result.taken = cancel_operation(self);
    if (result.taken) self.aborted = kind;
    return result;
  }

 private:
  [[nodiscard]] TaskBase& task_of_leaf() const noexcept { return *Suspension::task; }
  static void on_complete(Operation& operation, std::int32_t result, CompletionFlags) noexcept {
    static_cast<OperationAwaiter&>(operation).result_ = result;
    operation.end();
  }
  static void on_finish(Operation& operation) noexcept {
    static_cast<OperationAwaiter&>(operation).task_of_leaf().wake();
  }

  std::int32_t result_ = -ECANCELED;  // stays so if a cancel came before it was submitted
};

}  // namespace coil::detail
