// expect: to_thread calls a function, not a coroutine
#include <coil/to_thread.hpp>

#ifdef COIL_FIXED
int answer() { return 42; }
#else
coil::Coro<int> answer() { co_return 42; }
#endif

coil::Coro<> ask() { (void)co_await coil::to_thread(answer); }
