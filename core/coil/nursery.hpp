// Nursery (trio.open_nursery): tasks that end before the block does, cancelled level-triggered.
#pragma once

#include <coil/cancel_scope.hpp>
#include <coil/coro.hpp>
#include <coil/detail/member_group.hpp>
#include <coil/detail/start_control.hpp>
#include <coil/task.hpp>
#include <coil/task_ref.hpp>
#include <coil/task_status.hpp>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

namespace coil {

// Lives in open_nursery until its function has ended and all its tasks have. The first failure, the
// function's own or a task's, cancels the nursery's scope, and with it everything inside, until the
// end. Members may be called from the function and from any task inside, on any loop.
class Nursery : private detail::MemberGroup {
 public:
  Nursery() = default;
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;

  // Makes the coroutine (or other awaitable, or function with its arguments) a task of this
  // nursery. There is no handle: what it gives is dropped, what it throws comes out of the nursery.
  // std::runtime_error once the nursery has closed, NoRunningLoop off a loop.
  template <Awaitable A>
  void start_soon(A awaitable, TaskOptions options = {},
                  std::source_location origin = std::source_location::current()) {
    detail::require_open_loop("Nursery::start_soon");
    (void)detail::launch(detail::as_coro(std::move(awaitable)), options, nullptr, this, origin);
  }
  template <class Fn>
    requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&>>)
  void start_soon(Fn fn, TaskOptions options = {},
                  std::source_location origin = std::source_location::current()) {
    start_soon(detail::as_coro(std::move(fn)), options, origin);
  }
  template <class Fn, class... Args>
    requires(sizeof...(Args) > 0 && !Awaitable<Fn> &&
             Awaitable<std::invoke_result_t<Fn&, Args && ...>>)
  void start_soon(Fn fn, Args... args) {
    start_soon(detail::as_coro(std::move(fn), std::move(args)...));
  }

  // Makes fn a task of this nursery and waits until it calls TaskStatus<T>::started(v); gives v.
  // fn takes the status as its last argument or as its first: fn(args..., status). Where T can't be
  // read from its signature (a generic lambda), write start<T>(fn, ...).
  // What fn throws before that is thrown here; std::runtime_error if it just returns. A cancel of
  // this await cancels the child, and waits for its end.
  template <class T = detail::NoStatus, class Fn, class... Args>
  [[nodiscard]] auto start(Fn fn, Args... args) {
    using Read = typename detail::StatusIn<std::decay_t<Fn>>::type;
    using Value = std::conditional_t<std::is_same_v<T, detail::NoStatus>, Read, T>;
    static_assert(!std::is_same_v<Value, detail::NoStatus>,
                  "start: fn takes no TaskStatus<T>; if it is a template, write start<T>(fn, ...)");
    return start_child<Value, Fn, Args...>(std::move(fn),
                                           detail::KeptArgument<Args>(std::move(args))...);
  }

  // The scope around the function and all tasks.
  [[nodiscard]] CancelScope& cancel_scope() noexcept { return scope_; }
  [[nodiscard]] const CancelScope& cancel_scope() const noexcept { return scope_; }
  // The tasks that have not ended; and the one that opened the nursery.
  [[nodiscard]] std::vector<TaskRef> child_tasks();
  [[nodiscard]] TaskRef parent_task() const { return TaskRef(&parent()); }

  // For Coil's own use: what open_nursery does around the function. The last two give what it is to
  // throw, or null: join() waits for the tasks, leave() takes away what the scope has cancelled.
  void enter(detail::TaskBase& parent);
  [[nodiscard]] Coro<std::exception_ptr> join(std::exception_ptr error);
  [[nodiscard]] std::exception_ptr leave(std::exception_ptr error);

 private:
  template <class T, class Fn, class... Args>
  Coro<T> start_child(Fn fn, detail::KeptArgument<Args>... args) {
    detail::require_open_loop("Nursery::start");
    const auto ready = create_future<T>();
    const detail::Ref control(new detail::StartControl, detail::AdoptRef{});
    const auto child = detail::launch(detail::run_until_started<T, Fn, Args...>(
                                          ready, control, std::move(fn), std::move(args)...),
                                      {}, nullptr, this, std::source_location::current());
    co_await detail::wait_until_started(detail::FutureAccess::ref(ready), control,
                                        detail::FutureAccess::ref(child));
    co_return detail::FutureAccess::holder(ready).slot().take();
  }

  void check_open(bool finished) const override;
  void member_failed() noexcept override;
  void parent_cancelled(std::exception_ptr error) noexcept override;
  [[nodiscard]] bool ending() const noexcept override;
  [[nodiscard]] std::exception_ptr outcome();

  CancelScope scope_;
  std::exception_ptr cancellation_;  // an edge: of the parent, from outside
  std::exception_ptr level_;         // what the function threw of a scope's cancellation
};

namespace detail {

template <class Fn, class T = BodyResult<Fn, Nursery>>
Coro<std::conditional_t<std::is_void_v<T>, void, CancelResult<T>>> run_in_nursery(Fn fn) {
  Nursery nursery;
  nursery.enter(co_await CurrentTask());
  KeptValue<T> value;
  std::exception_ptr error;
  try {
    decltype(auto) body = call_body(fn, nursery);
    if constexpr (std::is_void_v<T>) {
      co_await to_await_as<decltype(body)>(body);
    } else {
      value.build(co_await to_await_as<decltype(body)>(body));
    }
  } catch (...) {
    error = std::current_exception();
  }
  error = co_await nursery.join(std::move(error));
  error = nursery.leave(std::move(error));
  if (error) std::rethrow_exception(std::move(error));
  if constexpr (!std::is_void_v<T>) {
    if (!value.built()) co_return CancelResult<T>();
    co_return CancelResult<T>(value.take());
  }
}

}  // namespace detail

// Runs fn(nursery) and waits for every task of the nursery. Throws an ExceptionGroup with all
// failures (also if it is only one), or the cancellation that came from outside; the nursery's own
// is absorbed here. fn returns Coro<>; if it gives a value, that comes as a CancelResult, because a
// cancelled fn gives none.
template <class Fn>
[[nodiscard]] auto open_nursery(Fn fn) {
  return detail::run_in_nursery(std::move(fn));
}

}  // namespace coil
