// expect: no matching member function for call to .await_transform.
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
