// What the C++ side of a scenario is written with; scenario.py is its twin.
//
// SCENARIO(name) { ... } is a coroutine that run.py starts as coil_conformance TOPIC name;
// PROGRAM(name) { ... } a plain function that calls coil::run itself.
#pragma once

#include <coil/coil.hpp>
#include <concepts>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace conformance {

using namespace std::chrono_literals;

using ValueError = std::invalid_argument;
using RuntimeError = std::runtime_error;
using coil::LookupError;

// Names an exception as Python does.
std::string kind(const std::exception_ptr& error);
std::string shown(const std::exception_ptr& error);
template <class E>
  requires(std::derived_from<E, std::exception> || std::same_as<E, coil::CancelledError> ||
           std::same_as<E, coil::KeyboardInterrupt>)
std::string shown(const E&) {
  return shown(std::current_exception());
}
// What is being handled, by its type alone.
inline std::string kind() { return kind(std::current_exception()); }

// Values as both languages print them.
inline std::string shown(bool value) { return value ? "True" : "False"; }
inline std::string shown(std::string_view text) { return std::string(text); }
inline std::string shown(const char* text) { return text; }
inline std::string shown(const std::string& text) { return text; }
inline std::string shown(std::monostate) { return "None"; }
inline std::string shown(std::nullopt_t) { return "None"; }
template <std::integral I>
  requires(!std::same_as<I, bool>)
std::string shown(I value) {
  return std::to_string(value);
}
template <class T>
std::string shown(const std::vector<T>& values);
template <class... Ts>
std::string shown(const std::tuple<Ts...>& values);
template <class T>
std::string shown(const std::optional<T>& value) {
  return value ? shown(*value) : "None";
}
// An element of what gather_results gives.
template <class T>
std::string shown(const coil::Result<T>& result) {
  if (!result.has_value()) return shown(result.error());
  if constexpr (std::is_void_v<T>) {
    return "None";
  } else {
    return shown(result.value());
  }
}
template <class T>
std::string shown(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += (text.empty() ? "" : ", ") + shown(value);
  return "[" + text + "]";
}
template <class... Ts>
std::string shown(const std::tuple<Ts...>& values) {
  std::string text;
  std::apply(
      [&](const auto&... value) { ((text += (text.empty() ? "" : ", ") + shown(value)), ...); },
      values);
  return "(" + text + ")";
}

void log_line(std::string line);
template <class... Values>
void log(const Values&... values) {
  std::string line;
  ((line += (line.empty() ? "" : " ") + shown(values)), ...);
  log_line(std::move(line));
}

// So much time; ./run.py sets how long a tick is where the clock is real.
coil::Duration ticks(double count);
inline auto tick(double count = 1) { return coil::sleep(ticks(count)); }

// How many ticks have passed since the scenario began. Logged as t3: on a real clock it may be
// more.
struct Ticks {
  int count;
};
inline std::string shown(Ticks ticks) { return "t" + std::to_string(ticks.count); }
Ticks passed();

// How awaiting it ends, as text.
template <coil::Awaitable A>
coil::Coro<std::string> outcome(A awaitable) {
  try {
    if constexpr (std::is_void_v<coil::AwaitResult<A>>) {
      co_await coil::detail::to_await(awaitable);
      co_return "gave None";
    } else {
      co_return "gave " + shown(co_await coil::detail::to_await(awaitable));
    }
  } catch (...) {
    co_return "raised " + shown(std::current_exception());
  }
}

// How calling it ends, as text; of an exception only the type.
template <class Fn, class... Args>
std::string attempt(Fn&& function, Args&&... args) {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Fn&, Args...>>) {
      function(std::forward<Args>(args)...);
      return "gave None";
    } else {
      return "gave " + shown(function(std::forward<Args>(args)...));
    }
  } catch (...) {
    return "raised " + kind();
  }
}

using Body = coil::Coro<> (*)();
using Program = void (*)();
struct Registered {
  Registered(const char* file, const char* name, Body body);
  Registered(const char* file, const char* name, Program program);
};

// The number of loops that the scenario is to run on: for a PROGRAM's RunOptions.
coil::RunOptions run_options();

}  // namespace conformance

#define SCENARIO(name)                                                                \
  static coil::Coro<> name();                                                         \
  static const conformance::Registered registered_##name(__FILE_NAME__, #name, name); \
  static coil::Coro<> name()
#define PROGRAM(name)                                                                 \
  static void name();                                                                 \
  static const conformance::Registered registered_##name(__FILE_NAME__, #name, name); \
  static void name()
