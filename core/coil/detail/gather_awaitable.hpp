// The typed side of gather: which child has which type, and what its results become.
#pragma once

#include <coil/detail/ensure_future.hpp>
#include <coil/detail/gather_state.hpp>
#include <coil/detail/ranges.hpp>
#include <coil/detail/reference_to.hpp>
#include <coil/result.hpp>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace coil::detail {

// What one child of type T becomes in the results.
template <class T, GatherMode mode>
using GatherElement = std::conditional_t<mode == GatherMode::AllDone, Result<T>, NonVoid<T>>;

// `last`: the awaitable is not awaited again, so what nobody else knows of may be moved out.
template <class T, GatherMode mode>
decltype(auto) gathered(GatherNode& node, bool last) {
  auto& holder = *static_cast<ValueHolder<T>*>(node.holder);
  if constexpr (mode == GatherMode::FirstError) {
    return read_result<T>(holder, last && node.own);
  } else {
    if (node.target->phase() != FutureBase::Phase::Value) return Result<T>(node.target->error());
    if constexpr (std::is_void_v<T>) {
      return Result<void>(std::in_place);
    } else {
      return Result<T>(read_result<T>(holder, last && node.own));
    }
  }
}

template <GatherMode mode, class... Ts>
struct GatherTuple {
  using Results = std::tuple<GatherElement<Ts, mode>...>;
  static Results collect(GatherState& state, bool last) {
    return collect(state, last, std::index_sequence_for<Ts...>());
  }
  template <std::size_t... I>
  static Results collect([[maybe_unused]] GatherState& state, [[maybe_unused]] bool last,
                         std::index_sequence<I...>) {
    return Results(gathered<Ts, mode>(state.node(I), last)...);
  }
};

template <GatherMode mode, class T>
struct GatherVector {
  // A vector holds no references.
  using Element =
      std::conditional_t<std::is_reference_v<GatherElement<T, mode>>,
                         ReferenceTo<std::remove_reference_t<T>>, GatherElement<T, mode>>;
  using Results = std::vector<Element>;
  static Results collect(GatherState& state, bool last) {
    Results results;
    results.reserve(state.size());
    for (std::size_t i = 0; i < state.size(); ++i)
      results.emplace_back(gathered<T, mode>(state.node(i), last));
    return results;
  }
};

template <class Shape>
class GatherAwaiter : public GatherWait {
 public:
  GatherAwaiter(GatherState& state, bool last) noexcept : GatherWait(state), last_(last) {}
  typename Shape::Results await_resume() {
    check();
    return Shape::collect(state(), last_);
  }

 private:
  bool last_;
};

// What gather returns. Move-only; awaited by one task at a time.
template <class Shape>
class [[nodiscard("a gather is to be awaited; what it was given runs anyway")]] Gather {
 public:
  explicit Gather(GatherState::Owner state) noexcept : state_(std::move(state)) {}

  [[nodiscard]] GatherAwaiter<Shape> operator co_await() && { return {checked(), true}; }
  [[nodiscard]] GatherAwaiter<Shape> operator co_await() & { return {checked(), false}; }

 private:
  [[nodiscard]] GatherState& checked() const {
    if (!state_) throw InvalidStateError("the gather was moved from");
    return *state_;
  }
  GatherState::Owner state_;
};

template <class A>
void add_child(GatherState& state, A&& awaitable) {
  if constexpr (FutureLike<A>) {
    auto child = ensure_future(std::forward<A>(awaitable));
    state.add(std::move(child.ref), child.holder);
  } else {
    auto& task = make_own_task(take_over(std::forward<A>(awaitable)));
    state.add_own(FutureRef(&task, AdoptRef{}), static_cast<ValueHolder<EnsuredValue<A>>*>(&task));
    start_task(task, nullptr, false);
  }
}

template <GatherMode mode, class... As>
auto gather_tuple(As&&... awaitables) {
  auto state = GatherState::make(sizeof...(As), mode);
  (add_child(*state, std::forward<As>(awaitables)), ...);
  return Gather<GatherTuple<mode, EnsuredValue<As>...>>(std::move(state));
}

template <GatherMode mode, class R>
auto gather_range(R&& range) {
  using Iterator = std::ranges::iterator_t<R>;
  using T = EnsuredValue<decltype(take_element<R>(std::declval<Iterator&>()))>;
  using Shape = GatherVector<mode, T>;
  if constexpr (std::ranges::sized_range<R>) {
    auto state = GatherState::make(std::ranges::size(range), mode);
    for (auto it = std::ranges::begin(range); it != std::ranges::end(range); ++it)
      add_child(*state, take_element<R>(it));
    return Gather<Shape>(std::move(state));
  } else {
    std::vector<Ensured<T>> children;
    for (auto it = std::ranges::begin(range); it != std::ranges::end(range); ++it)
      children.push_back(ensure_future(take_element<R>(it)));
    auto state = GatherState::make(children.size(), mode);
    for (auto& child : children) state->add(std::move(child.ref), child.holder, child.own);
    return Gather<Shape>(std::move(state));
  }
}

}  // namespace coil::detail
