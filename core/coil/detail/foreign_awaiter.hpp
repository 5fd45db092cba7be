// Lets a Coro await what knows nothing of Coil: another library's task, a user's own awaiter.
//
// The foreign await_suspend gets a handle to a stand-in frame. Resuming that, from any thread,
// makes the task runnable and runs nothing inline. A cancel cannot abort the await: it waits.
// Invariant: the stand-in is resumed at most once, and lives until then in the awaiting frame.
#pragma once

#include <coil/detail/promise_base.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/suspension.hpp>

namespace coil::detail {

inline constexpr LeafKind foreign_leaf{.name = "foreign awaitable"};

template <class A>
class ForeignAwaiter : private FrameHeader, private Suspension {
  using Inner = decltype(get_awaiter(std::declval<A>()));

 public:
  explicit ForeignAwaiter(A&& awaitable)
      : Suspension(foreign_leaf), inner_(get_awaiter(std::forward<A>(awaitable))) {
    FrameHeader::resume = [](FrameHeader* self) {
      static_cast<ForeignAwaiter*>(self)->Suspension::task->wake();
    };
    FrameHeader::destroy = [](FrameHeader*) {};
  }

  [[nodiscard]] bool await_ready() { return inner_.await_ready(); }

  template <class P>
  COIL_OUTLINED std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) {
    TaskBase& task = *self.promise().task;
    std::coroutine_handle<> next;
    const bool suspended = task.suspend(self, *this, [&] { return arm(next); });
    if (!next) return suspended ? std::noop_coroutine() : std::coroutine_handle<>(self);
    // Woken already, and yet there is somebody who is to run now: nobody else will resume it.
    if (!suspended) make_ready_behind(task);
    return next;
  }

  decltype(auto) await_resume() { return inner_.await_resume(); }

 private:
  // False: the foreign awaiter does not want to suspend after all.
  bool arm(std::coroutine_handle<>& next) {
    using Outcome = decltype(inner_.await_suspend(FrameHeader::handle()));
    if constexpr (std::is_void_v<Outcome>) {
      inner_.await_suspend(FrameHeader::handle());
      return true;
    } else if constexpr (std::same_as<Outcome, bool>) {
      return inner_.await_suspend(FrameHeader::handle());
    } else {
      const std::coroutine_handle<> target = inner_.await_suspend(FrameHeader::handle());
      if (target.address() == FrameHeader::handle().address()) return false;
      next = target;
      return true;
    }
  }

  Inner inner_;
};

}  // namespace coil::detail
