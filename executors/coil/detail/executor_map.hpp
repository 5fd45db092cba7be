// Executor::map: every chunk of elements is one call; a generator hands out their results in order.
//
// Invariant: however the generator ends (an exception, its limit, closed, never begun), the calls
// whose results were not handed out are cancelled.
#pragma once

#include <coil/async_generator.hpp>
#include <coil/coro.hpp>
#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/outside_work.hpp>
#include <coil/executor.hpp>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/time.hpp>
#include <coil/timeout.hpp>
#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace coil {

namespace detail {

template <class R>
using MapItem = std::conditional_t<std::is_void_v<R>, std::monostate, std::remove_cvref_t<R>>;

template <class Fn, class E>
auto call_each(Fn& fn, std::vector<E> chunk) {
  using R = std::invoke_result_t<Fn&, E>;
  std::vector<MapItem<R>> results;
  results.reserve(chunk.size());
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    if constexpr (std::is_void_v<R>) {
      invoke(fn, E(std::move(chunk[i])));
      results.emplace_back();
    } else {
      results.push_back(invoke(fn, E(std::move(chunk[i]))));
    }
  }
  return results;
}
// The same for a function that is known when this is compiled, as one that is.
template <auto fn, class E>
auto call_each_of(std::vector<E> chunk) {
  Constant<fn> target;
  return call_each(target, std::move(chunk));
}

template <class T>
class MapResults {
 public:
  MapResults() = default;
  MapResults(MapResults&&) noexcept = default;
  MapResults& operator=(MapResults&&) = delete;
  ~MapResults() {
    for (; next_ < chunks_.size(); ++next_) {
      chunks_[next_].cancel();
      // Whether a call fails that nobody waits for any more is not worth a report.
      FutureAccess::ref(chunks_[next_])->mark_retrieved();
    }
  }

  void add(Future<std::vector<T>> chunk) { chunks_.push_back(std::move(chunk)); }
  [[nodiscard]] bool empty() const noexcept { return next_ == chunks_.size(); }
  [[nodiscard]] const Future<std::vector<T>>& front() const noexcept { return chunks_[next_]; }
  Future<std::vector<T>> take_front() noexcept { return std::move(chunks_[next_++]); }

 private:
  std::vector<Future<std::vector<T>>> chunks_;
  std::size_t next_ = 0;
};

// Leaves the result where it is.
inline Coro<> until_done(FutureRef future) { co_await FutureWait(std::move(future)); }

template <class T>
AsyncGenerator<T> hand_out(MapResults<T> kept, TimePoint deadline) {
  MapResults<T> results = std::move(kept);  // goes when the body ends, not with the generator
  while (!results.empty()) {
    if (deadline != never)
      co_await wait_for(until_done(FutureAccess::ref(results.front())),
                        deadline - get_running_loop().time());
    auto values = co_await results.take_front();
    for (std::size_t i = 0; i < values.size(); ++i) co_yield T(std::move(values[i]));
  }
}

// Cuts the range and hands each chunk to `submit`, which gives a future of a vector.
template <class Range, class Submit>
auto map_chunks(Range&& range, const MapOptions& options, Submit submit) {
  using E = std::iter_value_t<decltype(std::begin(range))>;
  using Chunk = std::vector<E>;
  using T = typename decltype(submit(Chunk()))::value_type::value_type;
  if (options.chunksize == 0)
    throw std::invalid_argument("Executor::map: chunksize must be at least 1");
  const auto* loop = get_running_loop_or_null();
  const TimePoint now = loop != nullptr ? loop->time() : Clock::now();
  MapResults<T> results;
  Chunk chunk;
  for (auto&& element : range) {
    chunk.push_back(std::forward<decltype(element)>(element));
    if (chunk.size() < options.chunksize) continue;
    results.add(submit(std::exchange(chunk, {})));
  }
  if (!chunk.empty()) results.add(submit(std::move(chunk)));
  return hand_out<T>(std::move(results), options.timeout.deadline(now));
}

}  // namespace detail

template <class Fn, class Range>
auto Executor::map(Fn fn, Range&& range, MapOptions options) {
  static_assert(std::is_copy_constructible_v<Fn>,
                "Executor::map copies its function for each chunk; std::ref passes a reference");
  return detail::map_chunks(std::forward<Range>(range), options, [&]<class E>(std::vector<E> c) {
    const auto each = [fn](std::vector<E> chunk) mutable {
      return detail::call_each(fn, std::move(chunk));
    };
    return detail::ExecutorAccess::run(*this, detail::held_here("Executor::map"), each,
                                       std::move(c));
  });
}

template <auto fn, class Range>
auto Executor::map(Range&& range, MapOptions options) {
  return detail::map_chunks(std::forward<Range>(range), options, [&]<class E>(std::vector<E> c) {
    return start_constant<&detail::call_each_of<fn, E>>(detail::held_here("Executor::map"), true,
                                                        std::move(c));
  });
}

}  // namespace coil
