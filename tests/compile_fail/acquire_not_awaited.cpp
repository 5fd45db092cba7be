// expect: nothing is acquired until it is awaited
#include <coil/coro.hpp>
#include <coil/lock.hpp>

coil::Coro<> use(coil::Lock& lock) {
#ifdef COIL_FIXED
  co_await lock.acquire();
#else
  lock.acquire();
#endif
  lock.release();
  co_return;
}
