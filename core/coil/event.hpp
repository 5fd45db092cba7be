// Event: a flag to wait for (asyncio.Event).
#pragma once

#include <coil/detail/check.hpp>
#include <coil/detail/flag_lock.hpp>
#include <coil/detail/wait_line.hpp>

namespace coil {

namespace detail {
class EventWait;
struct WaitForEvent;
}  // namespace detail

// All members from any thread, loop or not; only waiting needs a task. Must outlive whoever waits;
// whoever finds it set may destroy it, even before set() has returned.
class Event {
 public:
  constexpr Event() noexcept = default;
  ~Event() { COIL_CHECK(line_.empty(), "an Event is destroyed while tasks wait for it"); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Wakes everybody who waits, in the order in which they came; from now on nobody waits, until
  // clear().
  void set() noexcept;
  // Who waits from now on waits for the next set().
  void clear() noexcept;
  [[nodiscard]] bool is_set() const noexcept { return lock_.flag(); }
  // co_await event.wait(): until it is set. Suspends only if it is not. Once woken, returns even if
  // it has been cleared meanwhile. Throws CancelledError.
  detail::WaitForEvent wait() noexcept;

 private:
  friend class detail::EventWait;

  detail::FlagLock lock_;  // its flag: set. It guards the line; the line's own lock is not used
  detail::WaitLine line_;
};

namespace detail {

class EventWait : public Waiter {
 public:
  explicit EventWait(Event& event) noexcept : Waiter(leaf_kind, event.line_), event_(event) {}

  [[nodiscard]] bool await_ready() const noexcept { return event_.is_set(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this, [this] { return line_up(); });
  }
  void await_resume() {
    if (aborted != Abort::None) [[unlikely]]
      task->throw_cancelled(aborted);
  }

 private:
  [[nodiscard]] bool line_up() noexcept;
  static HookResult leave(Suspension& leaf, Abort kind) noexcept;
  static const LeafKind leaf_kind;

  Event& event_;
};

// What Event::wait returns: may be copied and handed on, where the awaiter may not.
struct [[nodiscard("nobody waits until it is awaited")]] WaitForEvent {
  Event& event;
  [[nodiscard]] EventWait operator co_await() const noexcept { return EventWait(event); }
};

}  // namespace detail

inline detail::WaitForEvent Event::wait() noexcept { return {*this}; }

}  // namespace coil
