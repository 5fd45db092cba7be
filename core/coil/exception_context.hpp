// What the exception handler is told (the `context` of asyncio's call_exception_handler).
#pragma once

#include <coil/stack_frame.hpp>
#include <coil/task_ref.hpp>
#include <exception>
#include <source_location>
#include <string>
#include <vector>

namespace coil {

struct ExceptionContext {
  std::string message;           // what happened: "Task exception was never retrieved"
  std::exception_ptr exception;  // may be null
  TaskRef task;                  // may be empty
  std::source_location origin;   // where the task, coroutine or handle was made
  // Outermost first: the coroutines that the exception left on its way out of a task; without an
  // exception, the await stack of the task.
  std::vector<StackFrame> stack = {};
};

}  // namespace coil
