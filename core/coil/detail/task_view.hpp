// What a task is doing, for a person: reports, call graphs, get_stack.
//
// Invariant: only what cannot change meanwhile is read. A suspended task is held for that
// (TaskBase::hold), one at a time; one that runs on another loop shows nothing but its name.
#pragma once

#include <coil/detail/future_base.hpp>
#include <coil/stack_frame.hpp>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

namespace coil::detail {

class TaskBase;

struct TaskView {
  enum class State : std::uint8_t {
    Done,
    Suspended,
    Ready,      // in a queue of this loop
    Running,    // on this thread
    Elsewhere,  // running on another loop, or on its way there
  };
  State state = State::Elsewhere;
  std::vector<std::source_location> frames;  // innermost first
  const char* leaf = nullptr;                // Suspended: in what
  FutureRef awaited;                         // Suspended: the future or task it awaits, if known
};

// Any thread, any task.
[[nodiscard]] TaskView look_at(TaskBase& task);

// In the same order. Coil's own coroutines are left out, unless there are no others.
[[nodiscard]] std::vector<StackFrame> readable(const std::vector<std::source_location>& frames);
// Outermost first: of a task that is not done its await stack, of one that failed the coroutines
// that the exception left. `limit`: that many of the innermost (of a failed one: outermost) frames.
[[nodiscard]] std::vector<StackFrame> stack_of(TaskBase& task,
                                               std::size_t limit = static_cast<std::size_t>(-1));
// The stack of a failed task; empty if anything goes wrong.
[[nodiscard]] std::vector<StackFrame> exception_stack(const TaskBase& task) noexcept;

// "  File 'server.cpp', line 12, in async handle()", a line each, with this in front.
[[nodiscard]] std::string format_stack(const std::vector<StackFrame>& stack, const char* indent);
// "server::handle" for what the compiler calls a function.
[[nodiscard]] std::string short_function_name(const char* pretty);

}  // namespace coil::detail
