// Barrier: tasks that wait for each other (asyncio.Barrier).
#pragma once

#include <coil/detail/already_done.hpp>
#include <coil/detail/check.hpp>
#include <coil/detail/wait_line.hpp>
#include <coroutine>
#include <exception>
#include <stdexcept>

namespace coil {

// The barrier was reset or aborted while, or aborted before, somebody waited
// (asyncio.BrokenBarrierError).
class BrokenBarrierError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {
class BarrierWait;
struct WaitForBarrier;
}  // namespace detail

// The last of `parties` tasks to come wakes the others, and the barrier is at once ready for the
// next round. Who has been let through is through: unlike in asyncio, a reset or abort that comes
// before it has run does not reach it. All members from any thread; only waiting needs a task.
// Must outlive whoever waits; whoever is through may destroy it.
class Barrier {
 public:
  // std::invalid_argument if `parties` is less than 1.
  explicit Barrier(int parties);
  ~Barrier() { COIL_CHECK(line_.empty(), "a Barrier is destroyed while tasks wait at it"); }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // co_await barrier.wait(): until all are there. Gives an int from 0 to parties - 1, another one
  // to each, in the order in which they came; the last one does not suspend. Throws
  // BrokenBarrierError, and CancelledError: the barrier then waits for another in its place.
  detail::WaitForBarrier wait() noexcept;
  // co_await with(barrier, body): the body, called with its place, begins when all are there.
  detail::WaitForBarrier aenter() noexcept;
  detail::AlreadyDone aexit(const std::exception_ptr& /*error*/) noexcept { return {}; }

  // Who waits gets BrokenBarrierError; the barrier is empty and usable again, also after abort().
  // Done when it returns; may be awaited.
  detail::AlreadyDone reset() noexcept;
  // Who waits, and who comes until reset(), gets BrokenBarrierError. May be awaited.
  detail::AlreadyDone abort() noexcept;

  [[nodiscard]] int parties() const noexcept { return parties_; }
  [[nodiscard]] int n_waiting() const noexcept;
  [[nodiscard]] bool broken() const noexcept;

 private:
  friend class detail::BarrierWait;

  void break_up(bool broken) noexcept;

  const int parties_;
  mutable detail::WaitLine line_;
  // Under the line's lock.
  int waiting_ = 0;
  bool broken_ = false;
};

namespace detail {

class BarrierWait : public Waiter {
 public:
  explicit BarrierWait(Barrier& barrier) noexcept
      : Waiter(leaf_kind, barrier.line_), barrier_(barrier) {}

  [[nodiscard]] bool await_ready() noexcept { return !arrive(false); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this, [this] { return arrive(true); });
  }
  int await_resume();

 private:
  friend class coil::Barrier;
  static constexpr int aborted_before = -1;
  static constexpr int reset_or_aborted = -2;

  // True: others are missing, and, if `stay`, it is in line. False: it has its place.
  [[nodiscard]] bool arrive(bool stay) noexcept;
  static void let_through(Waiter* waiter, bool broken) noexcept;
  static HookResult leave(Suspension& leaf, Abort kind) noexcept;
  static const LeafKind leaf_kind;

  Barrier& barrier_;
  int place_ = 0;  // or why it is broken; written by whoever unlinks it
};

// What Barrier::wait returns: may be copied and handed on, where the awaiter may not.
struct [[nodiscard("nobody waits until it is awaited")]] WaitForBarrier {
  Barrier& barrier;
  [[nodiscard]] BarrierWait operator co_await() const noexcept { return BarrierWait(barrier); }
};

}  // namespace detail

inline detail::WaitForBarrier Barrier::wait() noexcept { return {*this}; }
inline detail::WaitForBarrier Barrier::aenter() noexcept { return {*this}; }

}  // namespace coil
