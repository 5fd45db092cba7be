// What the exception handler is told (the `context` of asyncio's call_exception_handler).
#pragma once

#include <coil/task_ref.hpp>
#include <exception>
#include <source_location>
#include <string>

namespace coil {

struct ExceptionContext {
  std::string message;           // what happened: "Task exception was never retrieved"
  std::exception_ptr exception;  // may be null
  TaskRef task;                  // may be empty
  std::source_location origin;   // where the task, coroutine or handle was made
};

}  // namespace coil
