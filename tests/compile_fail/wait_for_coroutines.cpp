// expect: wait takes tasks and futures: pass a coroutine to create_task first
// A coroutine that is pending after the wait could not be told from one that has not begun.
#include <coil/wait.hpp>
#include <utility>

#ifdef COIL_FIXED
using Waited = coil::Task<int>;
#else
using Waited = coil::Coro<int>;
#endif

coil::Coro<> use(std::vector<Waited> tasks) { (void)co_await coil::wait(std::move(tasks)); }
