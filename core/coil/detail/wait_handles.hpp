// The handles that wait and as_completed take: tasks and futures of one type, or TaskRefs.
#pragma once

#include <coil/detail/ensure_future.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/ranges.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/future.hpp>
#include <coil/task_ref.hpp>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace coil::detail {

template <class H>
concept WaitHandle = FutureLike<H> || std::same_as<std::remove_cvref_t<H>, TaskRef>;

template <class R>
using HandleOf = std::remove_cvref_t<std::ranges::range_reference_t<R>>;

// A vector that is given away is used as it is; of all else the handles are copied.
template <class R, class H = HandleOf<R>>
[[nodiscard]] std::vector<H> handles_of(R&& range) {
  if constexpr (std::is_same_v<R, std::vector<H>>) {
    return std::forward<R>(range);
  } else {
    std::vector<H> handles;
    if constexpr (std::ranges::sized_range<R>) handles.reserve(std::ranges::size(range));
    for (auto&& handle : range) handles.push_back(handle);
    return handles;
  }
}

// Null for an empty handle.
template <class T>
[[nodiscard]] FutureBase* state_of(const Future<T>& handle) {
  return handle.valid() ? FutureAccess::ref(handle).get() : nullptr;
}
[[nodiscard]] inline FutureBase* state_of(const TaskRef& handle) noexcept { return handle.get(); }

// The positions of those that did not come before. Throws std::invalid_argument, naming the
// operation, if there are none at all, or one is null.
[[nodiscard]] std::vector<std::size_t> first_of_each(const std::vector<FutureBase*>& states,
                                                     const char* operation);

// Input order, each once.
template <class H>
[[nodiscard]] std::vector<H> without_duplicates(std::vector<H> handles, const char* operation) {
  std::vector<FutureBase*> states;
  states.reserve(handles.size());
  for (const H& handle : handles) states.push_back(state_of(handle));
  const auto kept = first_of_each(states, operation);
  if (kept.size() == handles.size()) return handles;
  std::vector<H> unique;
  unique.reserve(kept.size());
  for (const auto position : kept) unique.push_back(std::move(handles[position]));
  return unique;
}

}  // namespace coil::detail
