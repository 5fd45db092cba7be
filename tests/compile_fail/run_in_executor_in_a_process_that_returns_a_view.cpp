// expect: static assertion failed.*this type cannot go to another process
#include <coil/coro.hpp>
#include <coil/process_pool_executor.hpp>
#include <coil/run_in_executor.hpp>
#include <string>
#include <string_view>

#ifdef COIL_FIXED
std::string
#else
std::string_view
#endif
name() {
  return "name";
}

coil::Coro<> use(coil::ProcessPoolExecutor& pool) {
  (void)co_await coil::run_in_executor<&name>(&pool);
}
