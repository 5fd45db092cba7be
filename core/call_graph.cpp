#include <algorithm>
#include <coil/call_graph.hpp>
#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/gather_state.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_view.hpp>
#include <cstdio>
#include <string_view>

namespace coil {
namespace detail {
namespace {

constexpr int depth_max = 100;
constexpr std::size_t nodes_max = 1'000;

std::string state_text(const TaskView& view) {
  switch (view.state) {
    case TaskView::State::Done:
      return "done";
    case TaskView::State::Suspended:
      return std::string("waiting in ") + view.leaf;
    case TaskView::State::Ready:
      return "ready to run";
    case TaskView::State::Running:
      return "running";
    case TaskView::State::Elsewhere:
      return "running on another loop, or about to";
  }
  __builtin_unreachable();
}

void add_awaiter(std::vector<Ref<TaskBase>>& awaiters, Ref<TaskBase> task) {
  const bool known = std::any_of(awaiters.begin(), awaiters.end(),
                                 [&](const auto& other) { return other.get() == task.get(); });
  if (!known) awaiters.push_back(std::move(task));
}

// First come, first served. The lock keeps each of them suspended, so they are there.
std::vector<Ref<TaskBase>> awaiters_of(FutureBase& future) {
  std::vector<Ref<TaskBase>> awaiters;
  future.completion().for_each([&](const FutureWaiter& waiter) {
    TaskBase* task = FutureWait::task_of(waiter);
    if (task == nullptr) task = GatherState::task_of(waiter);
    if (task != nullptr && vantage_on(*task) != Vantage::Far)
      add_awaiter(awaiters, Ref<TaskBase>(task));
  });
  TaskBase* self = future.as_task();
  if (self != nullptr && !self->done() && vantage_on(*self) != Vantage::Far)
    if (auto parent = self->group_parent()) add_awaiter(awaiters, std::move(parent));
  return awaiters;
}

class GraphBuilder {
 public:
  FutureCallGraph build(FutureBase& future, int depth = 0) {
    FutureCallGraph graph;
    graph.id = reinterpret_cast<std::uintptr_t>(&future);
    if (TaskBase* task = future.as_task()) describe(*task, graph);
    const bool seen = std::find(seen_.begin(), seen_.end(), &future) != seen_.end();
    if (seen || depth == depth_max || seen_.size() == nodes_max) {
      graph.elided = true;
      return graph;
    }
    seen_.push_back(&future);
    for (const auto& awaiter : awaiters_of(future))
      graph.awaited_by.push_back(build(*awaiter, depth + 1));
    return graph;
  }

 private:
  static void describe(TaskBase& task, FutureCallGraph& graph) {
    const TaskView view = look_at(task);
    graph.task = TaskRef(&task);
    graph.name = task.name();
    graph.state = state_text(view);
    graph.call_stack = readable(view.frames);
  }

  std::vector<const FutureBase*> seen_;  // held by who awaits them, or by our caller
};

// The running task knows better where it is than its last co_await.
void set_innermost(FutureCallGraph& graph, const std::source_location& here) {
  StackFrame frame{short_function_name(here.function_name()), here.file_name(), here.line()};
  auto& stack = graph.call_stack;
  if (!stack.empty() && stack.front().function == frame.function) {
    stack.front() = std::move(frame);
  } else {
    stack.insert(stack.begin(), std::move(frame));
  }
}

void render(const FutureCallGraph& graph, std::string& text, const std::string& indent) {
  char id[32];
  std::snprintf(id, sizeof id, "%#zx", static_cast<std::size_t>(graph.id));
  if (graph.task) {
    text += indent + "* Task(name='" + graph.name + "', id=" + id + ")\n";
    text += indent + "  + State: " + graph.state + "\n";
  } else {
    text += indent + "* Future(id=" + id + ")\n";
  }
  if (!graph.call_stack.empty()) {
    text += indent + "  + Call stack:\n";
    text += format_stack(graph.call_stack, (indent + "  |   ").c_str());
  }
  if (graph.elided) text += indent + "  + Awaited by: ...\n";
  if (graph.awaited_by.empty()) return;
  text += indent + "  + Awaited by:\n";
  for (const auto& awaiter : graph.awaited_by) render(awaiter, text, indent + "    ");
}

}  // namespace

FutureCallGraph graph_of(FutureBase& future, const std::source_location* here) {
  auto graph = GraphBuilder().build(future);
  if (here != nullptr && future.as_task() != nullptr && future.as_task() == running_task())
    set_innermost(graph, *here);
  return graph;
}

}  // namespace detail

FutureCallGraph capture_call_graph(std::source_location here) {
  (void)detail::require_loop("capture_call_graph");
  detail::TaskBase* task = detail::running_task();
  return task != nullptr ? detail::graph_of(*task, &here) : FutureCallGraph();
}

FutureCallGraph capture_call_graph(const TaskRef& task, std::source_location here) {
  if (!task) throw InvalidStateError("capture_call_graph: the task handle is empty");
  return detail::graph_of(*task.get(), &here);
}

std::string format_call_graph(const FutureCallGraph& graph) {
  std::string text;
  if (graph) detail::render(graph, text, "");
  return text;
}
std::string format_call_graph(std::source_location here) {
  return format_call_graph(capture_call_graph(here));
}
std::string format_call_graph(const TaskRef& task, std::source_location here) {
  return format_call_graph(capture_call_graph(task, here));
}

void print_call_graph(const FutureCallGraph& graph) {
  const std::string text = format_call_graph(graph);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}
void print_call_graph(std::source_location here) { print_call_graph(capture_call_graph(here)); }
void print_call_graph(const TaskRef& task, std::source_location here) {
  print_call_graph(capture_call_graph(task, here));
}

}  // namespace coil
