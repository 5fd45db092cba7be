// expect: static assertion failed.*the function would change a copy
#include <coil/process_pool_executor.hpp>
#include <functional>

#ifdef COIL_FIXED
int increase(int i) { return i + 1; }
#else
void increase(int& i) { ++i; }
#endif

void use(coil::ProcessPoolExecutor& pool, int& value) {
#ifdef COIL_FIXED
  value = pool.submit<&increase>(value).get();
#else
  pool.submit<&increase>(std::ref(value)).get();
#endif
}
