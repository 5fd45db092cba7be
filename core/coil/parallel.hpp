// Loops whose iterations run on all loops: fork_each, parallel_for, parallel_reduce.
//
// They are forks (fork.hpp): for CPU work, structured, with the awaiting task's cancellation and
// context. A cancellation is noticed between two steps. What they are given is called from several
// threads at once.
#pragma once

#include <coil/detail/parallel_range.hpp>
#include <coil/detail/reference_to.hpp>
#include <coil/detail/unique_ptr.hpp>
#include <coil/fork.hpp>
#include <coil/sleep.hpp>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <type_traits>
#include <utility>
#include <vector>

namespace coil {
namespace detail {

// fork_each.

template <class T>
struct EachResults {
  using Element = std::conditional_t<std::is_reference_v<T>,
                                     ReferenceTo<std::remove_reference_t<T>>, NonVoid<T>>;
  explicit EachResults(std::size_t size) : values(new KeptValue<T>[size]) {}
  [[nodiscard]] std::vector<Element> collect(std::size_t size) {
    std::vector<Element> all;
    all.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
      if constexpr (std::is_void_v<T>) {
        all.emplace_back();
      } else {
        all.emplace_back(values[i].take());
      }
    }
    return all;
  }
  std::unique_ptr<KeptValue<T>[]> values;
};

// Elements [first, last), not none. By halves down to four, so that an element that waits leaves
// the others to this loop and the rest, in frames that are a third as many as the elements.
template <class T, class Call, std::size_t... I>
Coro<> run_few(std::size_t first, const Call& call, KeptValue<T>* results,
               std::index_sequence<I...>) {
  auto values = co_await fork(call(first + I)...);
  if constexpr (!std::is_void_v<T>) (results[first + I].build(std::get<I>(std::move(values))), ...);
}

template <class T, class Call>
Coro<> run_halves(std::size_t first, std::size_t last, const Call& call, KeptValue<T>* results);

template <class T, class Call>
Coro<> run_each(std::size_t first, std::size_t last, const Call& call, KeptValue<T>* results) {
  switch (last - first) {
    case 1:
      return run_few<T>(first, call, results, std::make_index_sequence<1>());
    case 2:
      return run_few<T>(first, call, results, std::make_index_sequence<2>());
    case 3:
      return run_few<T>(first, call, results, std::make_index_sequence<3>());
    case 4:
      return run_few<T>(first, call, results, std::make_index_sequence<4>());
    default:
      return run_halves<T>(first, last, call, results);
  }
}

template <class T, class Call>
Coro<> run_halves(std::size_t first, std::size_t last, const Call& call, KeptValue<T>* results) {
  const std::size_t middle = first + (last - first) / 2;
  co_await fork(run_each<T>(first, middle, call, results),
                run_each<T>(middle, last, call, results));
}

// `R` is a reference for a range that is somebody else's.
template <class R, class Fn>
auto fork_elements(R range, Fn fn)
    -> Coro<std::vector<typename EachResults<AwaitResult<std::invoke_result_t<
        Fn&, decltype(take_element<R>(std::declval<decltype(std::ranges::begin(range))&>()))>>>::
                            Element>> {
  using Iterator = decltype(std::ranges::begin(range));
  using T =
      AwaitResult<std::invoke_result_t<Fn&, decltype(take_element<R>(std::declval<Iterator&>()))>>;
  std::vector<Iterator> at;
  for (auto it = std::ranges::begin(range); it != std::ranges::end(range); ++it) at.push_back(it);
  EachResults<T> results(at.size());
  const auto call = [&](std::size_t i) { return fn(take_element<R>(at[i])); };
  if (!at.empty()) co_await run_each<T>(0, at.size(), call, results.values.get());
  co_return results.collect(at.size());
}

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
  return detail::fork_elements<R, Fn>(std::forward<R>(range), std::move(fn));
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
