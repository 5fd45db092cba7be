// Semaphore and BoundedSemaphore: so many tasks at a time (asyncio.Semaphore).
#pragma once

#include <coil/detail/already_done.hpp>
#include <coil/detail/check.hpp>
#include <coil/detail/guard.hpp>
#include <coil/detail/permits.hpp>
#include <coil/would_block.hpp>
#include <exception>

namespace coil {

// Fair: a release hands its permit to the task that has waited longest, and a newcomer never gets
// in before it. All members from any thread; only acquiring needs a task. Must outlive whoever
// waits; the one who gets the last permit that anybody gives may destroy it.
class Semaphore {
 public:
  using Guard = detail::Guard<Semaphore>;

  // `value` permits; below 0: std::invalid_argument.
  explicit Semaphore(int value = 1) : Semaphore(value, detail::Permits::unlimited) {}
  ~Semaphore() {
    COIL_CHECK(!permits_.awaited(), "a Semaphore is destroyed while tasks wait for it");
  }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // co_await semaphore.acquire(): takes a permit. Suspends only if there is none. Throws
  // CancelledError, and then has none; one that was handed over already is kept, and the next
  // suspension is cancelled.
  detail::Acquire acquire() noexcept { return {permits_, detail::semaphore_leaf}; }
  // auto guard = co_await semaphore.scoped(): the same, and the guard gives it back when it goes.
  detail::AcquireScoped<Semaphore> scoped() noexcept {
    return {permits_, detail::semaphore_leaf, *this};
  }
  // co_await with(semaphore, body): holds it while the body runs.
  detail::Acquire aenter() noexcept { return acquire(); }
  detail::AlreadyDone aexit(const std::exception_ptr& /*error*/) {
    release();
    return {};
  }
  // Takes one now, or throws WouldBlock (trio).
  void acquire_nowait();
  // Gives a permit to the next in line, who runs soon, not now; or keeps it for whoever comes.
  // Of a BoundedSemaphore that has as many as at first: std::invalid_argument.
  void release() {
    if (!permits_.release(bound_)) [[unlikely]]
      throw_released_too_often();
  }
  // acquire() would have to wait.
  [[nodiscard]] bool locked() const noexcept { return permits_.free() == 0; }
  // How many permits there are now (trio).
  [[nodiscard]] int value() const noexcept;

 protected:
  Semaphore(int value, std::uint64_t bound);

 private:
  [[noreturn]] static void throw_released_too_often();

  detail::Permits permits_;
  std::uint64_t bound_;
};

// One that is never given back more permits than it had at first: release() throws
// std::invalid_argument instead.
class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(int value = 1);
};

}  // namespace coil
