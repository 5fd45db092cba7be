// What an awaitable throws, as a value to compare.
#pragma once

#include <gtest/gtest.h>

#include <coil/coro.hpp>
#include <coil/exceptions.hpp>
#include <optional>
#include <string>
#include <utility>

namespace kit {

// The what() of the E that awaiting it throws. Fails the test if it ends otherwise: with a value,
// or with an exception of another type, which is described.
template <class E, coil::Awaitable A>
coil::Coro<std::string> thrown_by(A awaitable) {
  try {
    (void)co_await coil::detail::to_await(awaitable);
  } catch (const E& error) {
    co_return error.what();
  } catch (...) {
    ADD_FAILURE() << "threw another type: " << coil::detail::describe(std::current_exception());
    co_return "";
  }
  ADD_FAILURE() << "did not throw";
  co_return "";
}

}  // namespace kit
