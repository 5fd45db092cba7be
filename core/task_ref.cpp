#include <coil/context.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/detail/task_view.hpp>
#include <coil/exceptions.hpp>
#include <coil/task_ref.hpp>

namespace coil {

TaskRef::TaskRef(detail::TaskBase* task) noexcept : task_(task) {
  if (task_ != nullptr) task_->add_ref();
}
TaskRef::TaskRef(const TaskRef& other) noexcept : TaskRef(other.task_) {}
TaskRef::~TaskRef() {
  if (task_ != nullptr) task_->release();
}

detail::TaskBase& TaskRef::checked() const {
  if (task_ == nullptr) throw InvalidStateError("the task handle is empty");
  return *task_;
}

detail::FutureBase& TaskRef::future() const { return checked(); }

int TaskRef::remove_done_callback(std::uint64_t id) const {
  return detail::DoneCallback::unregister(checked(), id);
}

bool TaskRef::cancel(std::string_view message) const { return checked().cancel(message); }
int TaskRef::cancelling() const { return checked().cancelling(); }
int TaskRef::uncancel() const { return checked().uncancel(); }
bool TaskRef::cancelled() const { return checked().cancelled(); }
bool TaskRef::done() const { return checked().done(); }
std::string TaskRef::name() const { return checked().name(); }
void TaskRef::set_name(std::string_view name) const { checked().set_name(name); }
Context TaskRef::get_context() const { return Context(checked().context.cell()); }
std::vector<StackFrame> TaskRef::get_stack(std::size_t limit) const {
  return detail::stack_of(checked(), limit);
}
Loop& TaskRef::get_loop() const { return *checked().loop(); }

std::exception_ptr TaskRef::exception() const {
  if (!done()) throw InvalidStateError("the exception is not set yet");
  if (cancelled()) std::rethrow_exception(checked().error());
  return checked().error();
}

TaskRef current_task() noexcept { return TaskRef(detail::running_task()); }

}  // namespace coil
