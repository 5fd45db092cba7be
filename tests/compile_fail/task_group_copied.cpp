// expect: call to deleted constructor of 'coil::TaskGroup'
// A group lives in the scope that waits for it, and nowhere else.

#include <coil/coil.hpp>

coil::Coro<> main_task() {
  co_await coil::with_task_group([](coil::TaskGroup& group) -> coil::Coro<> {
#ifdef COIL_FIXED
    coil::TaskGroup& same = group;
#else
    coil::TaskGroup same = group;
#endif
    same.create_task(coil::sleep(std::chrono::seconds(0)));
    co_return;
  });
}
