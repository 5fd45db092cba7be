// expect: write co_await std::move\(coro\)
// A coroutine is consumed by awaiting it.
#include <coil/coro.hpp>
#include <utility>

coil::Coro<int> one() { co_return 1; }
coil::Coro<int> await_it() {
  auto coro = one();
#ifdef COIL_FIXED
  co_return co_await std::move(coro);
#else
  co_return co_await coro;
#endif
}
