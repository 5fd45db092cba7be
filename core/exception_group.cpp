#include <coil/detail/counted.hpp>
#include <coil/exception_group.hpp>
#include <coil/exceptions.hpp>
#include <stdexcept>

namespace coil {
namespace {

// Every line after the first moves right, so that a nested group's lines stand below it.
std::string indented(const std::string& text) {
  std::string result = "  ";
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "  ";
  }
  return result;
}

std::string describe_all(std::string_view message, const std::vector<std::exception_ptr>& errors) {
  std::string text(message);
  text += " (" + std::to_string(errors.size());
  text += errors.size() == 1 ? " sub-exception)" : " sub-exceptions)";
  for (const auto& error : errors) text += '\n' + indented(detail::describe(error));
  return text;
}

// The group that `error` holds, or null.
std::optional<ExceptionGroup> as_group(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    return group;
  } catch (...) {
    return std::nullopt;
  }
}

}  // namespace

struct ExceptionGroup::Contents : detail::Counted<ExceptionGroup::Contents> {
  Contents(std::string_view text, std::vector<std::exception_ptr> errors, std::string lines)
      // NOLINTNEXTLINE(bugprone-throw-keyword-missing): a vector of exceptions is none itself
      : message(text), exceptions(std::move(errors)), description(std::move(lines)) {}

  std::string message;
  std::vector<std::exception_ptr> exceptions;
  std::string description;
};

ExceptionGroup::ExceptionGroup(const ExceptionGroup&) noexcept = default;
ExceptionGroup& ExceptionGroup::operator=(const ExceptionGroup&) noexcept = default;
ExceptionGroup::~ExceptionGroup() = default;

ExceptionGroup::ExceptionGroup(std::string_view message,
                               std::vector<std::exception_ptr> exceptions) {
  if (exceptions.empty()) throw std::invalid_argument("ExceptionGroup: there are no exceptions");
  for (const auto& error : exceptions)
    if (!error) throw std::invalid_argument("ExceptionGroup: an exception is null");
  auto description = describe_all(message, exceptions);
  contents_ = detail::Ref<const Contents>(
      new Contents(message, std::move(exceptions), std::move(description)), detail::AdoptRef{});
}

const char* ExceptionGroup::what() const noexcept { return contents_->description.c_str(); }
const std::string& ExceptionGroup::message() const noexcept { return contents_->message; }
const std::vector<std::exception_ptr>& ExceptionGroup::exceptions() const noexcept {
  return contents_->exceptions;
}

ExceptionGroup::Halves ExceptionGroup::split_by(Test test) const {
  std::vector<std::exception_ptr> matching;
  std::vector<std::exception_ptr> rest;
  for (const auto& error : exceptions()) {
    if (test(error)) {
      matching.push_back(error);
    } else if (const auto group = as_group(error)) {
      auto [in, out] = group->split_by(test);
      if (in) matching.push_back(std::make_exception_ptr(*std::move(in)));
      if (out) rest.push_back(std::make_exception_ptr(*std::move(out)));
    } else {
      rest.push_back(error);
    }
  }
  if (rest.empty()) return {*this, std::nullopt};
  if (matching.empty()) return {std::nullopt, *this};
  return {derive(std::move(matching)), derive(std::move(rest))};
}

std::optional<ExceptionGroup> ExceptionGroup::derive(
    std::vector<std::exception_ptr> exceptions) const {
  return ExceptionGroup(message(), std::move(exceptions));
}

}  // namespace coil
