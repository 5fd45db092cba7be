// What an ExceptionGroup holds, as sorted texts to compare.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <coil/coro.hpp>
#include <coil/exception_group.hpp>
#include <coil/exceptions.hpp>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace kit {

// what() of each exception, sorted; a nested group as "(a, b)".
inline std::vector<std::string> texts_of(const coil::ExceptionGroup& group) {
  std::vector<std::string> texts;
  for (const auto& error : group.exceptions()) {
    try {
      std::rethrow_exception(error);
    } catch (const coil::ExceptionGroup& nested) {
      std::string all;
      for (const auto& text : texts_of(nested)) all += (all.empty() ? "" : ", ") + text;
      texts.push_back("(" + all + ")");
    } catch (const std::exception& e) {
      texts.emplace_back(e.what());
    } catch (...) {
      texts.push_back(coil::detail::describe(error));
    }
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

// The same of the group that awaiting it throws. Fails the test if it does not.
template <coil::Awaitable A>
coil::Coro<std::vector<std::string>> failures_of(A awaitable) {
  try {
    (void)co_await coil::detail::to_await(awaitable);
  } catch (const coil::ExceptionGroup& group) {
    co_return texts_of(group);
  } catch (...) {
    ADD_FAILURE() << "threw no group: " << coil::detail::describe(std::current_exception());
    co_return {};
  }
  ADD_FAILURE() << "did not throw";
  co_return {};
}

}  // namespace kit
