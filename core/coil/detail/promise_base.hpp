// What every coroutine of Coil carries, whatever its result: where it goes on when it ends, and
// which task it runs in.
//
// Invariant: `task` is set before the coroutine first runs and does not change while it is
// awaited in place: a coroutine belongs to the task that awaits it. The promise of every coroutine
// of Coil begins with this class and is aligned to 16 bytes at most, so that of() finds it.
#pragma once

#include <coil/awaitable.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/task_base.hpp>
#include <coroutine>
#include <exception>
#include <source_location>

namespace coil::detail {

template <class A>
class ForeignAwaiter;

// Awaiters of our own derive from this: they know what a task is and need no adapter.
struct NativeAwaiter {};

template <class A>
concept NativeAwaitable =
    std::derived_from<std::remove_cvref_t<decltype(get_awaiter(std::declval<A>()))>, NativeAwaiter>;

struct PromiseBase : FrameAllocated {
  struct FinalAwaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) const noexcept {
      return self.promise().leave();
    }
    void await_resume() const noexcept {}
  };

  explicit PromiseBase(std::source_location made) noexcept : where(made) {}

  // The promise of a coroutine of Coil that is known by its frame alone.
  [[nodiscard]] static PromiseBase& of(std::coroutine_handle<> frame) noexcept {
    return std::coroutine_handle<PromiseBase>::from_address(frame.address()).promise();
  }

  // Control goes into this coroutine, which `parent` awaits. Gives the task's innermost frame the
  // right value for those who look at the task while it runs.
  template <class P>
  void enter(std::coroutine_handle<P> parent, std::coroutine_handle<> self) noexcept {
    continuation = parent;
    task = parent.promise().task;
    task->set_resume_point(self);
  }
  // Control goes back to who awaits it.
  [[nodiscard]] std::coroutine_handle<> leave() const noexcept {
    task->set_resume_point(continuation);
    return continuation;
  }

  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
  [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }

  template <Awaitable A>
  decltype(auto) await_transform(A&& awaitable,
                                 std::source_location here = std::source_location::current()) {
    where = here;
    if constexpr (NativeAwaitable<A>) {
      return get_awaiter(std::forward<A>(awaitable));
    } else {
      return ForeignAwaiter<A>(std::forward<A>(awaitable));
    }
  }

  template <class A>
    requires(!Awaitable<A>)
  std::suspend_never await_transform(A&&) {
    static_assert(Awaitable<A>,
                  "not an Awaitable. A named Coro is consumed by awaiting it: write "
                  "co_await std::move(coro)");
    return {};
  }

  std::coroutine_handle<> continuation;
  TaskBase* task = nullptr;
  // Where the coroutine is written; once it has awaited something, where it last did.
  std::source_location where;

 protected:
  // An exception leaves this coroutine: its place goes into the task's trace.
  void trace(const std::exception_ptr& error) const noexcept;
};

// PromiseBase::of() asks for the promise of an object of 8 bytes' alignment.
inline constexpr std::size_t promise_alignment_max = 16;
static_assert(alignof(PromiseBase) <= promise_alignment_max);

}  // namespace coil::detail

#include <coil/detail/foreign_awaiter.hpp>
