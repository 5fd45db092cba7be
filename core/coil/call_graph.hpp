// Who awaits whom (asyncio.capture_call_graph, format_call_graph, print_call_graph).
//
// Any thread may ask about any task. A task that is suspended, or that asks about itself, shows its
// stack; one that runs on another loop at that moment shows that it runs. Tasks go on meanwhile, so
// a graph of several is a series of snapshots.
#pragma once

#include <coil/future.hpp>
#include <coil/stack_frame.hpp>
#include <coil/task_ref.hpp>
#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

namespace coil {

using FrameCallGraphEntry = StackFrame;

// One future or task, and those who await it: by co_await, in a gather or wait, or as the parent of
// its task group. Tests as bool: false if there was no task to look at.
struct FutureCallGraph {
  TaskRef task;                        // empty for a future that is no task
  std::string name;                    // of the task
  std::uintptr_t id = 0;               // tells futures apart
  std::string state;                   // "waiting in sleep", "running", "done", ...
  std::vector<StackFrame> call_stack;  // innermost first
  std::vector<FutureCallGraph> awaited_by;
  bool elided = false;  // who awaits it is shown elsewhere, or too much to show

  [[nodiscard]] explicit operator bool() const noexcept { return id != 0; }
};

// Of the running task; false if a callback asks. Throws NoRunningLoop off a loop.
[[nodiscard]] FutureCallGraph capture_call_graph(
    std::source_location here = std::source_location::current());
// Throws InvalidStateError for an empty handle.
[[nodiscard]] FutureCallGraph capture_call_graph(
    const TaskRef& task, std::source_location here = std::source_location::current());

namespace detail {
[[nodiscard]] FutureCallGraph graph_of(FutureBase& future, const std::source_location* here);
}  // namespace detail

template <class T>
[[nodiscard]] FutureCallGraph capture_call_graph(
    const Future<T>& future, std::source_location here = std::source_location::current()) {
  return detail::graph_of(*detail::FutureAccess::ref(future), &here);
}

// As text in asyncio's form; empty for an empty graph.
[[nodiscard]] std::string format_call_graph(const FutureCallGraph& graph);
[[nodiscard]] std::string format_call_graph(
    std::source_location here = std::source_location::current());
[[nodiscard]] std::string format_call_graph(
    const TaskRef& task, std::source_location here = std::source_location::current());
template <class T>
[[nodiscard]] std::string format_call_graph(
    const Future<T>& future, std::source_location here = std::source_location::current()) {
  return format_call_graph(capture_call_graph(future, here));
}

// To standard output.
void print_call_graph(const FutureCallGraph& graph);
void print_call_graph(std::source_location here = std::source_location::current());
void print_call_graph(const TaskRef& task,
                      std::source_location here = std::source_location::current());
template <class T>
void print_call_graph(const Future<T>& future,
                      std::source_location here = std::source_location::current()) {
  print_call_graph(capture_call_graph(future, here));
}

}  // namespace coil
