#include "exception_handler.hpp"

#include <unistd.h>

#include <coil/detail/task_view.hpp>
#include <coil/exceptions.hpp>
#include <string>
#include <utility>

namespace coil::detail {

void ExceptionHandler::set(UniqueFunction<void(const ExceptionContext&)> fn) {
  auto next = fn ? std::make_shared<Function>(std::move(fn)) : nullptr;
  const std::lock_guard lock(mutex_);
  fn_.swap(next);
}

void ExceptionHandler::call(const ExceptionContext& context) noexcept {
  std::shared_ptr<Function> fn;  // outlives the lock: its captures may be destroyed with it
  const std::lock_guard lock(mutex_);
  if (!fn_ || inside_) return print_exception_context(context);
  fn = fn_;
  inside_ = true;
  try {
    (*fn)(context);
  } catch (...) {
    ExceptionContext failure;
    failure.message = "Unhandled error in exception handler";
    failure.exception = std::current_exception();
    print_exception_context(failure);
    print_exception_context(context);
  }
  inside_ = false;
}

void print_exception_context(const ExceptionContext& context) noexcept {
  try {
    std::string text = "coil: " + context.message + "\n";
    if (context.exception) text += "  exception: " + describe(context.exception) + "\n";
    if (context.task) text += "  task: '" + context.task.name() + "'\n";
    if (context.origin.line() != 0)
      text += std::string("  made at: ") + context.origin.file_name() + ":" +
              std::to_string(context.origin.line()) + "\n";
    if (!context.stack.empty())
      text += "  await stack (most recent await last):\n" + format_stack(context.stack, "    ");
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  } catch (...) {  // out of memory while reporting: nothing better to do
  }
}

}  // namespace coil::detail
