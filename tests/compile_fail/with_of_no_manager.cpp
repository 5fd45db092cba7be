// expect: with: not an AsyncContextManager
#include <coil/with.hpp>
#include <exception>

struct Manager {
  coil::Coro<int> aenter() { co_return 1; }
#ifdef COIL_FIXED
  coil::Coro<> aexit(std::exception_ptr) { co_return; }
#endif
};

coil::Coro<> use() {
  co_await coil::with(Manager(), []() -> coil::Coro<> { co_return; });
}
