#include <algorithm>
#include <coil/detail/fork_wait.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_view.hpp>
#include <string_view>

namespace coil::detail {
namespace {

constexpr std::size_t frames_max = 1'000;

// Ends a hold, whatever happens.
class Held {
 public:
  explicit Held(TaskBase& task) noexcept : task_(task) {}
  ~Held() { task_.let_go(); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  TaskBase& task_;
};

// False: it could not be had. Whoever else is at its leaf is so for moments only.
bool try_hold(TaskBase& task) noexcept {
  for (int i = 0; i < 1'000; ++i) {
    switch (task.hold()) {
      case TaskState::Hold::Held:
        return true;
      case TaskState::Hold::Moving:
        return false;
      case TaskState::Hold::Busy:
        spin_wait_long();
    }
  }
  return false;
}

void read_leaf(const TaskBase& task, bool may_refer, TaskView& view) {
  view.state = TaskView::State::Suspended;
  const Suspension& leaf = *task.leaf();
  view.leaf = leaf.kind->name;
  if (may_refer && leaf.kind->awaited != nullptr)
    view.awaited = FutureRef(leaf.kind->awaited(leaf));
}

}  // namespace

std::vector<std::source_location> TaskBase::frames() const {
  std::vector<std::source_location> found;
  const void* const end = static_cast<const FrameHeader*>(this);
  auto at = resume_.address() == end ? outermost_ : resume_;
  while (at && at.address() != end && found.size() < frames_max) {
    const PromiseBase& promise = PromiseBase::of(at);
    if (!ForkWait::is_join(at)) found.push_back(promise.where);
    at = promise.continuation;
  }
  return found;
}

TaskView look_at(TaskBase& task) {
  TaskView view;
  if (task.done()) {
    view.state = TaskView::State::Done;
    return view;
  }
  const Vantage vantage = vantage_on(task);
  if (vantage == Vantage::Running || vantage == Vantage::Still) {
    view.state = vantage == Vantage::Running ? TaskView::State::Running : TaskView::State::Ready;
    if (vantage == Vantage::Still && task.suspended()) read_leaf(task, true, view);
    view.frames = task.frames();
  } else if (try_hold(task)) {
    const Held held(task);
    read_leaf(task, vantage == Vantage::Near, view);
    view.frames = task.frames();
  }
  return view;
}

std::vector<StackFrame> readable(const std::vector<std::source_location>& frames) {
  std::vector<StackFrame> all;
  all.reserve(frames.size());
  for (const auto& frame : frames)
    all.push_back({short_function_name(frame.function_name()), frame.file_name(), frame.line()});
  std::vector<StackFrame> users;
  for (const auto& frame : all)
    if (!frame.function.starts_with("coil::detail::")) users.push_back(frame);
  return users.empty() ? all : users;
}

std::vector<StackFrame> stack_of(TaskBase& task, std::size_t limit) {
  const TaskView view = look_at(task);
  const bool done = view.state == TaskView::State::Done;
  auto stack = readable(done ? task.exception_frames() : view.frames);
  std::reverse(stack.begin(), stack.end());
  if (stack.size() <= limit) return stack;
  const auto surplus = static_cast<std::ptrdiff_t>(stack.size() - limit);
  if (done) {
    stack.erase(stack.end() - surplus, stack.end());
  } else {
    stack.erase(stack.begin(), stack.begin() + surplus);
  }
  return stack;
}

std::vector<StackFrame> exception_stack(const TaskBase& task) noexcept {
  try {
    auto stack = readable(task.exception_frames());
    std::reverse(stack.begin(), stack.end());
    return stack;
  } catch (...) {  // out of memory: then the report goes without
    return {};
  }
}

std::string format_stack(const std::vector<StackFrame>& stack, const char* indent) {
  std::string text;
  for (const auto& frame : stack)
    text += std::string(indent) + "File '" + frame.file + "', line " + std::to_string(frame.line) +
            ", in async " + frame.function + "()\n";
  return text;
}

}  // namespace coil::detail
