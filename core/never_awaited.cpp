// The report on a coroutine that was dropped without having been started.
#include <coil/coro.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_view.hpp>
#include <coil/exception_context.hpp>

namespace coil::detail {

void report_never_awaited(const std::source_location& where) noexcept {
  if (!debug_mode()) return;
  try {
    ExceptionContext context;
    // Dropped where it was made, nearly always: by the task that runs here.
    context.message =
        "coroutine '" + short_function_name(where.function_name()) + "' was never awaited";
    context.origin = where;
    if (TaskBase* task = running_task()) {
      context.task = TaskRef(task);
      context.stack = stack_of(*task);
    }
    report(context);
  } catch (...) {  // out of memory: the report is lost
  }
}

}  // namespace coil::detail
