// expect: an executor calls functions, not coroutines
#include <coil/run_in_executor.hpp>

#ifdef COIL_FIXED
int answer() { return 42; }
#else
coil::Coro<int> answer() { co_return 42; }
#endif

coil::Coro<> ask() { (void)co_await coil::run_in_executor(answer); }
