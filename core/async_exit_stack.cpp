#include <coil/async_exit_stack.hpp>

namespace coil {

Coro<AsyncExitStack&> AsyncExitStack::aenter() { co_return *this; }

Coro<> AsyncExitStack::aclose() { (void)co_await aexit(nullptr); }

Coro<bool> AsyncExitStack::aexit(std::exception_ptr error) {
  const bool received = error != nullptr;
  bool swallowed = false;
  bool thrown = false;
  while (!exits_.empty()) {
    Exit exit = std::move(exits_.back());
    exits_.pop_back();
    try {
      if (co_await exit(error)) {
        swallowed = true;
        thrown = false;
        error = nullptr;
      }
    } catch (...) {
      thrown = true;
      error = std::current_exception();
    }
  }
  if (thrown) std::rethrow_exception(std::move(error));
  co_return received&& swallowed;
}

}  // namespace coil
