// The report on a coroutine that was dropped without having been started.
#include <coil/coro.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/exception_context.hpp>

namespace coil::detail {

void report_never_awaited(const std::source_location& where) noexcept {
  if (!debug_mode()) return;
  ExceptionContext context;
  context.message = std::string("coroutine '") + where.function_name() + "' was never awaited";
  context.origin = where;
  report(context);
}

}  // namespace coil::detail
