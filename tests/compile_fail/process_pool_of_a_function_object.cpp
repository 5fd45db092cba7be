// expect: static assertion failed.*use submit<&fn>\(args\.\.\.\)
// An address means nothing in another process.
#include <coil/process_pool_executor.hpp>

int twice(int i) { return 2 * i; }

coil::Future<int> use(coil::ProcessPoolExecutor& pool) {
#ifdef COIL_FIXED
  return pool.submit<&twice>(1);
#else
  return pool.submit(&twice, 1);
#endif
}
