// fork: children that compute, on the loops' own deques. For CPU work; tasks are for waiting.
#pragma once

#include <coil/detail/ensure_future.hpp>
#include <coil/detail/fork_join.hpp>
#include <type_traits>
#include <utility>

namespace coil {

// What fork returns: awaited once. Gives a tuple of the children's results, std::monostate for
// void.
template <class... Ts>
class [[nodiscard("nothing runs until the fork is awaited")]] Fork
    : private detail::ForkJoin<Ts...> {
 public:
  explicit Fork(Coro<Ts>... coros) noexcept : detail::ForkJoin<Ts...>(coros.release()...) {}

  // Throws std::runtime_error if it has been awaited before or was moved from.
  [[nodiscard]] detail::ForkJoin<Ts...>& operator co_await() && {
    this->check_startable();
    return *this;
  }
  void operator co_await() & = delete;  // write: co_await std::move(fork)
};

// Runs coroutines in parallel and waits for all of them: co_await fork(a(), b()) gives a tuple.
// Children are coroutines, other awaitables, or functions that give one. For CPU work: the first
// runs at once, in the awaiting task, the next when that has ended, unless a loop that has nothing
// to do takes it meanwhile. So nothing is allocated for a child beyond its frame, and a child that
// another loop took is a task of its own there (current_task() shows it).
//
// A child that suspends lets the others run, here or elsewhere. When one throws, the rest are
// awaited, and then the exception of the one that failed first is thrown; those of others are
// dropped. Cancelling: children are cancelled with the task that awaits them, by scopes and by
// Task::cancel; one that has not started when the cancellation comes out of another never does.
// Each child sees the context variables as they
// were when it was forked, and what it sets is not seen outside. The children of a task that is
// bound to its loop stay on that loop.
template <class... As>
  requires(sizeof...(As) > 0 && (detail::Startable<As> && ...))
auto fork(As... awaitables) {
  return Fork<detail::AsCoroResult<As>...>(detail::as_coro(std::move(awaitables))...);
}

}  // namespace coil
