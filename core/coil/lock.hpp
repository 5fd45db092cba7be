// Lock: one task at a time (asyncio.Lock).
#pragma once

#include <coil/detail/already_done.hpp>
#include <coil/detail/check.hpp>
#include <coil/detail/guard.hpp>
#include <coil/detail/permits.hpp>
#include <coil/would_block.hpp>
#include <exception>

namespace coil {

class Condition;

// Fair: a release hands the lock to the task that has waited longest, and a newcomer never gets in
// before it. Like asyncio's, it does not know who holds it: any task, callback or thread may
// release it, and a task that acquires it twice waits for itself. All members from any thread;
// only acquiring needs a task. Must outlive whoever waits; the one who gets it may destroy it.
class Lock {
 public:
  using Guard = detail::Guard<Lock>;

  constexpr Lock() noexcept : permits_(1) {}
  ~Lock() { COIL_CHECK(!permits_.awaited(), "a Lock is destroyed while tasks wait for it"); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // co_await lock.acquire(): returns holding it. Suspends only if it is held. Throws
  // CancelledError, and then does not hold it; what was handed over already is kept, and the next
  // suspension is cancelled.
  detail::Acquire acquire() noexcept { return {permits_, detail::lock_leaf}; }
  // auto guard = co_await lock.scoped(): the same, and the guard releases it when it goes.
  detail::AcquireScoped<Lock> scoped() noexcept { return {permits_, detail::lock_leaf, *this}; }
  // co_await with(lock, body): holds it while the body runs.
  detail::Acquire aenter() noexcept { return acquire(); }
  detail::AlreadyDone aexit(const std::exception_ptr& /*error*/) {
    release();
    return {};
  }
  // Acquires it now, or throws WouldBlock (trio).
  void acquire_nowait();
  // Hands it to the next in line, who runs soon, not now. std::runtime_error if it is not held.
  void release() {
    if (!permits_.release(1)) [[unlikely]]
      throw_not_acquired();
  }
  [[nodiscard]] bool locked() const noexcept { return permits_.free() == 0; }

 private:
  friend class Condition;
  [[noreturn]] static void throw_not_acquired();

  detail::Permits permits_;
};

}  // namespace coil
