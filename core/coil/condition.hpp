// Condition: waiting, under a lock, for what others do under it (asyncio.Condition).
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/already_done.hpp>
#include <coil/detail/check.hpp>
#include <coil/detail/guard.hpp>
#include <coil/detail/wait_line.hpp>
#include <coil/lock.hpp>
#include <concepts>
#include <exception>
#include <type_traits>

namespace coil {

// Any number of conditions may share one lock. acquire, release, locked and scoped are the lock's.
// All members from any thread; only acquiring and waiting need a task. The lock is not asked who
// holds it: that the caller does is the caller's promise. Must outlive whoever waits.
class Condition {
 public:
  // Over a lock of its own, or over `lock`, which must outlive it.
  Condition() noexcept : lock_(&own_) {}
  explicit Condition(Lock& lock) noexcept : lock_(&lock) {}
  ~Condition() { COIL_CHECK(line_.empty(), "a Condition is destroyed while tasks wait for it"); }
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  detail::Acquire acquire() noexcept { return lock_->acquire(); }
  detail::AcquireScoped<Lock> scoped() noexcept { return lock_->scoped(); }
  // co_await with(condition, body): holds it while the body runs.
  detail::Acquire aenter() noexcept { return acquire(); }
  detail::AlreadyDone aexit(const std::exception_ptr& /*error*/) {
    release();
    return {};
  }
  void acquire_nowait() { lock_->acquire_nowait(); }
  void release() { lock_->release(); }
  [[nodiscard]] bool locked() const noexcept { return lock_->locked(); }

  // co_await condition.wait(): releases the lock, waits to be notified, and returns holding the
  // lock again. std::runtime_error if the lock is not held. Throws CancelledError, also holding
  // the lock; a notification that had come already then goes to the next in line. A notification
  // says that the time has come to look, not what will be found: see wait_for.
  [[nodiscard]] Coro<> wait();
  // Waits until pred(), called under the lock, gives what tests as true, and gives that.
  template <class Pred>
    requires std::invocable<Pred&>
  [[nodiscard]] auto wait_for(Pred pred) -> Coro<std::decay_t<std::invoke_result_t<Pred&>>> {
    for (;;) {
      auto result = pred();
      if (result) co_return result;
      co_await wait();
    }
  }

  // Wakes the `n` that have waited longest (all, if fewer wait). They go on once they have got the
  // lock, which the caller must hold: std::runtime_error otherwise.
  void notify(int n = 1);
  void notify_all();

 private:
  Lock own_;
  Lock* lock_;
  detail::WaitLine line_;
};

}  // namespace coil
