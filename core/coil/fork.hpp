// fork: children that compute, on the loops' own deques. For CPU work; tasks are for waiting.
#pragma once

#include <coil/detail/ensure_future.hpp>
#include <coil/detail/fork_wait.hpp>
#include <coil/detail/task_impl.hpp>
#include <cstddef>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coil {
namespace detail {

template <class T>
struct ForkChild {
  static TaskBase* make_task(ForkBranch& branch) {
    auto& coro = *static_cast<Coro<T>*>(branch.coro);
    return new TaskImpl<T>(std::move(coro), branch.promise().where);
  }
  static void drop(ForkBranch& branch) noexcept {
    static_cast<Coro<T>*>(branch.coro)->release().destroy();
  }
  static constexpr ForkKind kind{&make_task, &drop};

  [[nodiscard]] static ForkBranch branch(Coro<T>& coro) {
    if (!coro || coro.handle().promise().continuation) [[unlikely]]
      throw std::runtime_error("coil: cannot fork an already awaited coroutine");
    return {kind, &coro, coro.handle()};
  }
  static decltype(auto) take(ForkBranch& branch) {
    if (branch.task) return read_result<T>(static_cast<TaskImpl<T>&>(*branch.task), true);
    if constexpr (std::is_void_v<T>) {
      return std::monostate();
    } else if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(static_cast<CoroPromise<T>&>(branch.promise()).take());
    } else {
      return T(static_cast<CoroPromise<T>&>(branch.promise()).take());
    }
  }
};

template <class... Ts>
class ForkAwaiter : public ForkWait {
 public:
  using Coros = std::tuple<Coro<Ts>...>;
  using Results = std::tuple<NonVoid<Ts>...>;

  explicit ForkAwaiter(Coros& coros) : ForkAwaiter(coros, std::index_sequence_for<Ts...>()) {}
  Results await_resume() {
    check();
    return results(std::index_sequence_for<Ts...>());
  }

 private:
  template <std::size_t... I>
  ForkAwaiter(Coros& coros, std::index_sequence<I...>)
      : ForkWait(branches_, sizeof...(Ts)),
        branches_{ForkChild<Ts>::branch(std::get<I>(coros))...} {}
  template <std::size_t... I>
  Results results(std::index_sequence<I...>) {
    return Results(ForkChild<Ts>::take(branches_[I])...);
  }

  ForkBranch branches_[sizeof...(Ts)];
};

}  // namespace detail

// What fork returns: awaited once. Gives a tuple of the children's results, std::monostate for
// void.
template <class... Ts>
class [[nodiscard("nothing runs until the fork is awaited")]] Fork {
 public:
  explicit Fork(Coro<Ts>... coros) noexcept : coros_(std::move(coros)...) {}

  // Throws std::runtime_error if it has been awaited before or was moved from.
  [[nodiscard]] detail::ForkAwaiter<Ts...> operator co_await() && {
    return detail::ForkAwaiter<Ts...>(coros_);
  }
  void operator co_await() & = delete;  // write: co_await std::move(fork)

 private:
  std::tuple<Coro<Ts>...> coros_;
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
