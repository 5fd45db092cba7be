// What every coroutine of Coil carries, whatever its result: where it goes on when it ends, and
// which task it runs in.
//
// Invariant: `task` is set before the coroutine first runs and does not change while it is
// awaited in place: a coroutine belongs to the task that awaits it.
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
      return self.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  explicit PromiseBase(std::source_location where) noexcept : where_made(where) {}

  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
  [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }

  template <Awaitable A>
  decltype(auto) await_transform(A&& awaitable) {
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
  std::source_location where_made;
};

}  // namespace coil::detail

#include <coil/detail/foreign_awaiter.hpp>
