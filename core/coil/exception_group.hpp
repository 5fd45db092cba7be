// ExceptionGroup: several exceptions that happened side by side, as one (PEP 654).
//
// Invariant: it holds at least one exception and never changes, so that copies share everything
// and copying throws nothing, as an exception's copy must not.
#pragma once

#include <coil/detail/ref.hpp>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coil {

class ExceptionGroup : public std::exception {
 public:
  // Throws std::invalid_argument if there are no exceptions, or one is null.
  ExceptionGroup(std::string_view message, std::vector<std::exception_ptr> exceptions);

  ExceptionGroup(const ExceptionGroup&) noexcept;
  ExceptionGroup& operator=(const ExceptionGroup&) noexcept;
  ~ExceptionGroup() override;

  // "<message> (2 sub-exceptions)", then a line for each of them, nested ones indented further.
  [[nodiscard]] const char* what() const noexcept override;
  [[nodiscard]] const std::string& message() const noexcept;
  // What it was made of; one of them may be a group again.
  [[nodiscard]] const std::vector<std::exception_ptr>& exceptions() const noexcept;

  // Those that `catch (const E&)` would take, and the rest, each as a group with this message and
  // this nesting, or empty. A group that E takes itself stays whole.
  template <class E>
  [[nodiscard]] std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> split()
      const {
    if constexpr (std::is_base_of_v<E, ExceptionGroup>) {
      return {*this, std::nullopt};
    } else {
      return split_by(&caught_as<E>);
    }
  }
  // The first half of split().
  template <class E>
  [[nodiscard]] std::optional<ExceptionGroup> subgroup() const {
    return split<E>().first;
  }

 private:
  using Test = bool (*)(const std::exception_ptr&);
  using Halves = std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>>;
  struct Contents;

  template <class E>
  static bool caught_as(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const E&) {
      return true;
    } catch (...) {
      return false;
    }
  }
  [[nodiscard]] Halves split_by(Test test) const;
  [[nodiscard]] std::optional<ExceptionGroup> derive(
      std::vector<std::exception_ptr> exceptions) const;

  detail::Ref<const Contents> contents_;
};

}  // namespace coil
