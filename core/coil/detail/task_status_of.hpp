// Which TaskStatus<T> a function wants, read from its signature: what T Nursery::start gives.
#pragma once

#include <type_traits>

namespace coil {

template <class T>
class TaskStatus;

namespace detail {

struct NoStatus {};  // there is none, or the function is a template or overloaded

template <class P>
struct StatusParameter {
  using type = NoStatus;
};
template <class T>
struct StatusParameter<TaskStatus<T>> {
  using type = T;
};

template <class... P>
struct StatusAmong {
  using type = NoStatus;
};
template <class First, class... Rest>
struct StatusAmong<First, Rest...> {
  using here = typename StatusParameter<std::remove_cvref_t<First>>::type;
  using type = typename std::conditional_t<std::is_same_v<here, NoStatus>, StatusAmong<Rest...>,
                                           std::type_identity<here>>::type;
};

template <class Fn>
struct StatusIn {
  using type = NoStatus;
};
template <class Fn>
  requires requires { &Fn::operator(); }
struct StatusIn<Fn> : StatusIn<decltype(&Fn::operator())> {};
template <class R, class... P>
struct StatusIn<R (*)(P...)> : StatusAmong<P...> {};
template <class R, class... P>
struct StatusIn<R (*)(P...) noexcept> : StatusAmong<P...> {};
template <class R, class C, class... P>
struct StatusIn<R (C::*)(P...)> : StatusAmong<P...> {};
template <class R, class C, class... P>
struct StatusIn<R (C::*)(P...) const> : StatusAmong<P...> {};
template <class R, class C, class... P>
struct StatusIn<R (C::*)(P...) noexcept> : StatusAmong<P...> {};
template <class R, class C, class... P>
struct StatusIn<R (C::*)(P...) const noexcept> : StatusAmong<P...> {};

}  // namespace detail
}  // namespace coil
