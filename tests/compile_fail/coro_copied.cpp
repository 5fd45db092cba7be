// expect: call to implicitly-deleted copy constructor of 'coil::Coro<int>'
// A coroutine has one owner.

#include <coil/coil.hpp>
#include <utility>

coil::Coro<int> answer() { co_return 42; }

coil::Coro<int> twice() {
  coil::Coro<int> first = answer();
#ifdef COIL_FIXED
  coil::Coro<int> second = std::move(first);
#else
  coil::Coro<int> second = first;
#endif
  co_return co_await std::move(second);
}
