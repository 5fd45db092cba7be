// expect: static assertion failed.*not an Awaitable
// Only awaitables can be awaited.

#include <chrono>
#include <coil/coil.hpp>

coil::Coro<> main_task() {
#ifdef COIL_FIXED
  co_await coil::sleep(std::chrono::seconds(5));
#else
  co_await 5;
#endif
}
