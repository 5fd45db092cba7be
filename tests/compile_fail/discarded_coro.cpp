// expect: a Coro does nothing until it is awaited or made a task
#include <coil/coro.hpp>

coil::Coro<int> one() { co_return 1; }
#ifdef COIL_FIXED
coil::Coro<> use() { (void)co_await one(); }
#else
coil::Coro<> use() {
  one();
  co_return;
}
#endif
