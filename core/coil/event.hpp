// Event: a flag to wait for (asyncio.Event).
#pragma once

#include <coil/detail/check.hpp>
#include <coil/detail/event_line.hpp>
#include <coil/detail/wait_line.hpp>

namespace coil {

namespace detail {
struct WaitForEvent;
}  // namespace detail

// All members from any thread, loop or not; only waiting needs a task. Must outlive whoever waits;
// whoever finds it set may destroy it, even before set() has returned.
class Event {
 public:
  constexpr Event() noexcept = default;
  ~Event() { COIL_CHECK(!line_.awaited(), "an Event is destroyed while tasks wait for it"); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Wakes everybody who waits, in the order in which they came; from now on nobody waits, until
  // clear().
  void set() noexcept;
  // Who waits from now on waits for the next set().
  void clear() noexcept { line_.clear(); }
  [[nodiscard]] bool is_set() const noexcept { return line_.is_set(); }
  // co_await event.wait(): until it is set. Suspends only if it is not. Once woken, returns even if
  // it has been cleared meanwhile. Throws CancelledError.
  detail::WaitForEvent wait() noexcept;

 private:
  detail::EventLine line_;
};

namespace detail {

class EventWait : public Waiter {
 public:
  explicit EventWait(EventLine& line) noexcept : Waiter(leaf_kind, line.line()), event_(line) {}

  [[nodiscard]] bool await_ready() const noexcept { return event_.is_set(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this, [this] { return event_.line_up(*this); });
  }
  void await_resume() {
    if (aborted != Abort::None) [[unlikely]]
      task->throw_cancelled(aborted);
  }

 private:
  static HookResult leave(Suspension& leaf, Abort kind) noexcept;
  static const LeafKind leaf_kind;

  EventLine& event_;
};

// What Event::wait returns: may be copied and handed on, where the awaiter may not.
struct [[nodiscard("nobody waits until it is awaited")]] WaitForEvent {
  EventLine& event;
  [[nodiscard]] EventWait operator co_await() const noexcept { return EventWait(event); }
};

}  // namespace detail

inline detail::WaitForEvent Event::wait() noexcept { return {line_}; }

}  // namespace coil
