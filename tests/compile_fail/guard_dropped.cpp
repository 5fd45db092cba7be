// expect: a guard guards nothing
#include <coil/coro.hpp>
#include <coil/lock.hpp>

coil::Coro<> use(coil::Lock& lock) {
#ifdef COIL_FIXED
  auto guard = co_await lock.scoped();
#else
  co_await lock.scoped();
#endif
}
