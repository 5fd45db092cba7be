// A call of a function that is known when this is compiled: it can be made in another process.
//
// Invariant: what is packed are values of the function's own parameter types, so the bytes fit
// what call_packed() of the same instantiation reads there.
#pragma once

#include <coil/detail/box.hpp>
#include <coil/detail/executor_call.hpp>
#include <coil/detail/function_place.hpp>
#include <coil/detail/pack.hpp>
#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coil::detail {

template <auto fn>
struct Constant;

template <class... Ts>
struct TypeList {};

template <class>
inline constexpr bool never_true = false;

template <class P>
struct SpanOf {};
template <class T>
struct SpanOf<std::span<const T>> : std::type_identity<Elements<T>> {};

// A parameter as it travels.
template <class P>
struct TravelsAs : std::type_identity<std::remove_cvref_t<P>> {};
template <class P>
  requires std::is_same_v<std::remove_cvref_t<P>, std::string_view>
struct TravelsAs<P> : std::type_identity<std::string> {};
template <class P>
  requires requires { typename SpanOf<std::remove_cvref_t<P>>::type; }
struct TravelsAs<P> : SpanOf<std::remove_cvref_t<P>> {};
// One that the function could change for its caller does not.
struct ChangedThere {};
template <class P>
  requires(std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>)
struct TravelsAs<P> : std::type_identity<ChangedThere> {};

template <class R, class... Ps>
TypeList<typename TravelsAs<Ps>::type...> parameters_of(R (*)(Ps...));
template <class R, class C, class... Ps>
TypeList<C, typename TravelsAs<Ps>::type...> parameters_of(R (C::*)(Ps...));
template <class R, class C, class... Ps>
TypeList<C, typename TravelsAs<Ps>::type...> parameters_of(R (C::*)(Ps...) const);
template <class R, class C, class... Ps>
TypeList<typename TravelsAs<Ps>::type...> call_parameters_of(R (C::*)(Ps...));
template <class R, class C, class... Ps>
TypeList<typename TravelsAs<Ps>::type...> call_parameters_of(R (C::*)(Ps...) const);

// What the arguments of fn(Args...) are packed as; those of a template: as they come.
template <auto fn, class... Args>
constexpr auto traveling() noexcept {
  using Fn = std::remove_cv_t<decltype(fn)>;
  if constexpr (requires { parameters_of(fn); }) {
    return decltype(parameters_of(fn))();
  } else if constexpr (requires { call_parameters_of(&Fn::operator()); }) {
    return decltype(call_parameters_of(&Fn::operator()))();
  } else {
    return TypeList<typename TravelsAs<std::remove_cvref_t<Args>>::type...>();
  }
}

template <>
struct Pack<ChangedThere> {
  static constexpr bool possible = false;
};

// Runs in the other process.
template <auto fn, class R, class... Ts>
void call_packed([[maybe_unused]] Unpacker& in, [[maybe_unused]] Packer& out) {
  std::tuple<Ts...> arguments{Pack<Ts>::read(in)...};
  std::apply(
      [&](Ts&... args) {
        if constexpr (std::is_void_v<R>) {
          (void)Constant<fn>()(std::move(args)...);
        } else {
          Pack<R>::write(out, Constant<fn>()(std::move(args)...));
        }
      },
      arguments);
}

// The same function for every call of one instantiation.
template <auto fn, class R, class... Ts>
const FunctionPlace& place_of_packed() {
  static const FunctionPlace place =
      place_of(reinterpret_cast<const void*>(&call_packed<fn, R, Ts...>));
  return place;
}

struct PackedCall;
struct DropPackedCall {
  void operator()(PackedCall* call) const noexcept;
};

// How the executor packs a call's arguments and completes it with what came back.
class RemoteFunction {
 public:
  RemoteFunction(const RemoteFunction&) = delete;
  RemoteFunction& operator=(const RemoteFunction&) = delete;

  [[nodiscard]] virtual const FunctionPlace& place() const = 0;
  // Once, and the arguments are let go of. Throws what the types' own code throws.
  virtual void pack(Packer& out) = 0;
  // Completes the future with a result (PackError: it is none) or an exception, unless cancelled.
  virtual void give_result(Unpacker& in) = 0;
  virtual void give_error(std::exception_ptr error) noexcept = 0;

  Box<PackedCall, DropPackedCall> packed;  // the executor's

 protected:
  RemoteFunction() = default;
  ~RemoteFunction() = default;
};

template <class R, class... Args, class... Ts>
constexpr bool can_travel(TypeList<Ts...>) noexcept {
  if constexpr (sizeof...(Ts) != sizeof...(Args) || std::is_reference_v<R>) {
    return false;
  } else if constexpr (!(Pack<Ts>::possible && ...) ||
                       !(std::is_constructible_v<Ts, Args> && ...)) {
    return false;
  } else if constexpr (std::is_void_v<R>) {
    return true;
  } else {
    return Pack<R>::possible;
  }
}

// What is wrong with fn(Args...), as errors of the compiler.
template <class R, class... Args, class... Ts>
constexpr void check_travels(TypeList<Ts...> types) noexcept {
  static_assert(sizeof...(Ts) == sizeof...(Args),
                "a function in another process needs an argument for each of its parameters");
  static_assert(!(std::is_same_v<Ts, ChangedThere> || ...),
                "a parameter that is a reference to non-const: in another process the function "
                "would change a copy; take it by value and return what becomes of it");
  static_assert(!std::is_reference_v<R>,
                "a reference to something in another process cannot be returned: return a value");
  (check_packable<Ts>(), ...);
  if constexpr (!std::is_void_v<R>) check_packable<R>();
  static_assert(can_travel<R, Args...>(types),
                "an argument does not convert to the function's parameter");
}

template <bool travels, auto fn, class R, class Types, class Base>
class RemoteCall : public Base {
 public:
  using Base::Base;
};

template <auto fn, class R, class... Ts, class Base>
class RemoteCall<true, fn, R, TypeList<Ts...>, Base> : public Base, public RemoteFunction {
 public:
  using Base::Base;

  [[nodiscard]] RemoteFunction* remote() noexcept override { return this; }

 private:
  [[nodiscard]] const FunctionPlace& place() const override {
    return place_of_packed<fn, R, Ts...>();
  }
  void pack(Packer& out) override {
    std::apply([&](auto&... kept) { (pack_one<Ts>(out, kept), ...); }, this->kept_->args);
    this->kept_.reset();
  }
  void give_result(Unpacker& in) override {
    if constexpr (std::is_void_v<R>) {
      this->try_set_value();
    } else {
      this->try_set_value(Pack<R>::read(in));
    }
  }
  void give_error(std::exception_ptr error) noexcept override {
    if (!this->try_finish_error(error)) this->report_abandoned(std::move(error));
  }

  template <class T, class A>
  static void pack_one(Packer& out, A& kept) {
    if constexpr (std::is_same_v<T, A>) {
      Pack<T>::write(out, kept);
    } else {
      Pack<T>::write(out, static_cast<T>(std::move(kept)));
    }
  }
};

template <auto fn, class R, class Fn, class... Args>
using ConstantCallBase =
    RemoteCall<can_travel<R, KeptArgument<Args>...>(decltype(traveling<fn, Args...>())()), fn, R,
               decltype(traveling<fn, Args...>()), FunctionCall<false, R, Fn, Args...>>;

template <auto fn, class R, class Fn, class... Args>
class ConstantCall final : public ConstantCallBase<fn, R, Fn, Args...> {
 public:
  using Base = ConstantCallBase<fn, R, Fn, Args...>;
  using Base::Base;
};

}  // namespace coil::detail
