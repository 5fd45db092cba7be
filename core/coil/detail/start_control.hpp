// What Nursery::start and its child share until the child has started: a cancel of start() is the
// child's too, but not the other way round, and ends where start() ends.
//
// The child runs in a CancelScope of its own. It leaves the canceller here as its first act; a
// start() that was cancelled before that leaves a note instead. Under the lock one sees the other.
#pragma once

#include <coil/cancel_scope.hpp>
#include <coil/coro.hpp>
#include <coil/detail/counted.hpp>
#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/spin_lock.hpp>
#include <coil/task_status.hpp>
#include <exception>
#include <utility>

namespace coil::detail {

class StartControl : public Counted<StartControl> {
 public:
  void adopt(CancelScope& scope);
  void cancel();

 private:
  SpinLock lock_;
  bool cancelled_ = false;
  Canceller canceller_;
};

// What start() gets from a child that ended with `error`, or null, before it was ready.
[[nodiscard]] std::exception_ptr never_started(std::exception_ptr error);

template <class T, class Fn, class... Args>
decltype(auto) call_with_status(Fn& fn, TaskStatus<T>& status, KeptArgument<Args>&... args) {
  if constexpr (std::is_invocable_v<Fn&, Args&&..., TaskStatus<T>&>) {
    return invoke(fn, give_argument<Args>(args)..., status);
  } else {
    return invoke(fn, status, give_argument<Args>(args)...);
  }
}

// The child. Its failure before it was ready is start()'s, after that it is the nursery's.
template <class T, class Fn, class... Args>
Coro<> run_until_started(Future<T> ready, Ref<StartControl> control, Fn fn,
                         KeptArgument<Args>... args) {
  TaskStatus<T> status(ready);
  CancelScope scope;
  scope.enter(co_await CurrentTask());
  std::exception_ptr error;
  try {
    control->adopt(scope);
    decltype(auto) body = call_with_status<T, Fn, Args...>(fn, status, args...);
    co_await to_await_as<decltype(body)>(body);
  } catch (...) {
    error = std::current_exception();
  }
  if (scope.leave(error)) {
    ready.cancel();
    co_return;
  }
  const bool told = !ready.done() && ready.try_set_exception(never_started(error));
  if (error && (!told || is_cancelled_error(error))) std::rethrow_exception(std::move(error));
}

// The end of start(): waits until the child is ready, or has ended.
[[nodiscard]] Coro<> wait_until_started(FutureRef ready, Ref<StartControl> control,
                                        FutureRef child);

}  // namespace coil::detail
