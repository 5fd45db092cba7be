// expect: no matching function for call to 'sleep'
// A duration has a unit: `sleep(5)` could be seconds or milliseconds.

#include <chrono>
#include <coil/coil.hpp>

coil::Coro<> main_task() {
#ifdef COIL_FIXED
  co_await coil::sleep(std::chrono::seconds(5));
#else
  co_await coil::sleep(5);
#endif
}
