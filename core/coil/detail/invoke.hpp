// Calls of functions that were kept with their arguments, to be made later.
//
// Invariant: text that came as a view is kept as a copy, so that "(fn, args...)" is safe with
// whatever the caller's string becomes. Pointers and references (std::ref) are the caller's affair.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coil::detail {

template <class A>
using KeptArgument = std::conditional_t<std::is_same_v<A, std::string_view>, std::string, A>;

// A kept argument as the function is to see it.
template <class A>
[[nodiscard]] A&& give_argument(KeptArgument<A>& kept) noexcept
  requires(!std::is_same_v<A, std::string_view>)
{
  return std::move(kept);
}
template <class A>
[[nodiscard]] std::string_view give_argument(std::string& kept) noexcept
  requires(std::is_same_v<A, std::string_view>)
{
  return kept;
}

// std::invoke, which <functional> would bring: object by reference, std::ref or any pointer.
template <class Member, class Object, class... Args>
decltype(auto) invoke_member(Member member, Object&& object, Args&&... args) {
  if constexpr (requires { (std::forward<Object>(object).*member)(std::forward<Args>(args)...); }) {
    return (std::forward<Object>(object).*member)(std::forward<Args>(args)...);
  } else if constexpr (requires { (*object.*member)(std::forward<Args>(args)...); }) {
    return (*object.*member)(std::forward<Args>(args)...);
  } else {
    return (object.get().*member)(std::forward<Args>(args)...);
  }
}

template <class Fn, class... Args>
decltype(auto) invoke(Fn& fn, Args&&... args) {
  if constexpr (std::is_member_pointer_v<Fn>) {
    return invoke_member(fn, std::forward<Args>(args)...);
  } else {
    return fn(std::forward<Args>(args)...);
  }
}

}  // namespace coil::detail
