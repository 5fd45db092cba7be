// Loops whose iterations run on all loops: fork_each, parallel_for, parallel_reduce.
//
// They are forks (fork.hpp): for CPU work, structured, with the awaiting task's cancellation and
// context. A cancellation is noticed between two steps. What they are given is called from several
// threads at once.
#pragma once

#include <coil/detail/fork_elements.hpp>
#include <coil/detail/parallel_range.hpp>
#include <coil/detail/ranges.hpp>
#include <coil/fork.hpp>
#include <coil/sleep.hpp>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace coil {
namespace detail {

// parallel_for.

// What a step sets in the context is its own.
class StepContext {
 public:
  StepContext() {
    if (context_in_use()) [[unlikely]]
      then_ = running_task()->context.snapshot();
  }
  StepContext(const StepContext&) = delete;
  StepContext& operator=(const StepContext&) = delete;
  ~StepContext() {
    if (context_in_use()) [[unlikely]]
      running_task()->context.rewind(then_);
  }

 private:
  ContextSnapshot then_;
};

template <class Body>
Coro<> run_steps(ParallelRange range, const Body& body) {
  while (!range.empty()) {
    if (range.to_be_cut()) {
      const ParallelRange half = range.cut_first_half();
      co_await fork(run_steps(half, body), run_steps(range, body));
      co_return;
    }
    if (cancel_is_pending()) [[unlikely]]
      co_await checkpoint();
    const ParallelRange step = range.next_step();
    const StepContext context;
    if constexpr (Awaitable<decltype(body(step))>) {
      co_await body(step);
    } else {
      body(step);
    }
  }
}

template <Position I, class Fn>
Coro<> run_parallel_for(I first, ParallelRange range, Fn fn) {
  if constexpr (std::is_invocable_v<Fn&, I>) {
    if constexpr (Awaitable<std::invoke_result_t<Fn&, I>>) {
      co_await run_steps(range, [&](ParallelRange step) -> Coro<> {
        for (auto i = step.first; i != step.last; ++i) co_await fn(position(first, i));
      });
    } else {
      co_await run_steps(range, [&](ParallelRange step) {
        for (auto i = step.first; i != step.last; ++i) (void)fn(position(first, i));
      });
    }
  } else {
    co_await run_steps(range, [&](ParallelRange step) {
      return fn(position(first, step.first), position(first, step.last));
    });
  }
}

// parallel_reduce.

// The reduction of a range that is not empty.
template <class T, Position I, class Fn, class Combine>
Coro<T> reduce_steps(I first, ParallelRange range, Fn& fn, Combine& combine) {
  T total = fn(position(first, range.first++));
  while (!range.empty()) {
    if (range.to_be_cut()) {
      const ParallelRange half = range.cut_first_half();
      auto [left, right] = co_await fork(reduce_steps<T>(first, half, fn, combine),
                                         reduce_steps<T>(first, range, fn, combine));
      co_return combine(combine(std::move(total), std::move(left)), std::move(right));
    }
    if (cancel_is_pending()) [[unlikely]]
      co_await checkpoint();
    const ParallelRange step = range.next_step();
    for (auto i = step.first; i != step.last; ++i)
      total = combine(std::move(total), fn(position(first, i)));
  }
  co_return total;
}

template <class T, Position I, class Fn, class Combine>
Coro<T> run_parallel_reduce(I first, ParallelRange range, T init, Fn fn, Combine combine) {
  if (range.empty()) co_return init;
  T total = co_await reduce_steps<T>(first, range, fn, combine);
  co_return combine(std::move(init), std::move(total));
}

}  // namespace detail

// Awaits fn(element), which gives a Coro, for each element of a range, as fork() does: gives a
// vector of their results, in order (std::monostate for void). A range that is moved in is kept,
// another one must live until the fork has ended; so must what fn refers to.
template <std::ranges::forward_range R, class Fn>
[[nodiscard]] auto fork_each(R&& range, Fn fn) {
  return detail::ForkElements<R, Fn>::run(std::forward<R>(range), std::move(fn));
}

// Calls fn(i) for each i in [first, last), or fn(begin, end) for stretches of it of at most `grain`
// positions; fn may return a Coro. Positions are integers or random access iterators. `grain`: how
// many positions are worth a step of their own, a microsecond's work or more; at least 1, else
// std::invalid_argument. The first exception is thrown once the others have ended.
template <class First, class Last, class Fn, class I = std::common_type_t<First, Last>>
  requires detail::Position<I>
[[nodiscard]] Coro<> parallel_for(First first, Last last, std::int64_t grain, Fn fn) {
  const I begin = detail::bound_as<I>(first);
  return detail::run_parallel_for(
      begin, detail::parallel_range<I>(begin, detail::bound_as<I>(last), grain), std::move(fn));
}

// Combines init and fn(i) for each i in [first, last), in this order, as
// combine(combine(init, fn(first)), ...) would if combine is associative; it need not be
// commutative. The rest as of parallel_for.
template <class First, class Last, class T, class Fn, class Combine,
          class I = std::common_type_t<First, Last>>
  requires detail::Position<I>
[[nodiscard]] Coro<T> parallel_reduce(First first, Last last, std::int64_t grain, T init, Fn fn,
                                      Combine combine) {
  const I begin = detail::bound_as<I>(first);
  return detail::run_parallel_reduce<T>(
      begin, detail::parallel_range<I>(begin, detail::bound_as<I>(last), grain), std::move(init),
      std::move(fn), std::move(combine));
}

}  // namespace coil
