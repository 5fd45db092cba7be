// expect: start: fn takes no TaskStatus
#include <coil/nursery.hpp>

#ifdef COIL_FIXED
coil::Coro<> child(int, coil::TaskStatus<> status) {
  status.started();
  co_return;
}
#else
coil::Coro<> child(int) { co_return; }
#endif

coil::Coro<> use(coil::Nursery& nursery) { co_await nursery.start(child, 1); }
