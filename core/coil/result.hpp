// Result<T>: a value, or the exception that came instead of it (what gather_results gives).
//
// Invariant: exactly one of the two is there; the exception is never null.
#pragma once

#include <concepts>
#include <exception>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

namespace coil {

// T may be a reference or void. Result<> says only whether it went well.
template <class T = void>
class [[nodiscard]] Result {
  using Stored = std::conditional_t<
      std::is_void_v<T>, std::monostate,
      std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>>;
  static constexpr bool is_plain = std::is_object_v<T>;

 public:
  using value_type = T;

  template <class... Args>
    requires is_plain
  explicit Result(std::in_place_t, Args&&... args)
      : content_(std::in_place_index<0>, std::forward<Args>(args)...) {}
  template <class U>
    requires(is_plain && std::constructible_from<Stored, U &&> &&
             !std::same_as<std::remove_cvref_t<U>, Result> &&
             !std::same_as<std::remove_cvref_t<U>, std::exception_ptr>)
  Result(U&& value)  // NOLINT(google-explicit-constructor): co_return value
      : Result(std::in_place, std::forward<U>(value)) {}
  explicit Result(std::in_place_t)
    requires std::is_void_v<T>
  {}
  template <class U>
    requires(std::is_reference_v<T> && std::convertible_to<U&, T>)
  Result(U& value)  // NOLINT(google-explicit-constructor): the same
      : content_(std::in_place_index<0>, std::addressof(value)) {}
  // Throws std::invalid_argument for null.
  Result(std::exception_ptr error)  // NOLINT(google-explicit-constructor): the same
      : content_(std::in_place_index<1>, std::move(error)) {
    if (!std::get<1>(content_)) throw std::invalid_argument("Result: the exception is null");
  }

  [[nodiscard]] bool has_value() const noexcept { return content_.index() == 0; }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }
  // The exception, or null if there is a value.
  [[nodiscard]] std::exception_ptr error() const noexcept {
    return has_value() ? nullptr : *std::get_if<1>(&content_);
  }

  // The value; throws the exception if that came instead.
  decltype(auto) value() & { return get(*this); }
  decltype(auto) value() const& { return get(*this); }
  decltype(auto) value() && { return get(std::move(*this)); }
  decltype(auto) operator*() & { return get(*this); }
  decltype(auto) operator*() const& { return get(*this); }
  decltype(auto) operator*() && { return get(std::move(*this)); }
  auto* operator->()
    requires(!std::is_void_v<T>)
  {
    return std::addressof(get(*this));
  }
  const auto* operator->() const
    requires(!std::is_void_v<T>)
  {
    return std::addressof(get(*this));
  }

 private:
  template <class Self>
  static decltype(auto) get(Self&& self) {
    if (!self.has_value()) std::rethrow_exception(self.error());
    if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(*std::get<0>(self.content_));
    } else if constexpr (!std::is_void_v<T>) {
      return std::get<0>(std::forward<Self>(self).content_);
    }
  }

  std::variant<Stored, std::exception_ptr> content_;
};

}  // namespace coil
