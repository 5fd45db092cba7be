// The awaitable of what has been done by the time the function returns.
#pragma once

#include <coil/detail/promise_base.hpp>
#include <coroutine>

namespace coil::detail {

struct AlreadyDone : NativeAwaiter {
  [[nodiscard]] bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  void await_resume() const noexcept {}
};

}  // namespace coil::detail
