#include <coil/detail/cancel_work.hpp>
#include <coil/detail/check.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/exceptions.hpp>
#include <stdexcept>
#include <utility>

namespace coil::detail {

TaskBase::~TaskBase() = default;

void TaskBase::wake() noexcept {
  if (state_.wake() == TaskState::Wake::Schedule) make_ready(*this);
}

void TaskBase::end(Phase phase, std::exception_ptr error) noexcept {
  GroupNode* group = group_;
  COIL_CHECK(groups_ == nullptr, "a task ended inside a group it had opened");
  if (group != nullptr) {
    // From here on nobody walks from this task into its parent's scopes.
    const SpinGuard guard(tree_lock_);
    scope_ = nullptr;
    group_ = nullptr;
  }
  state_.set_done();
  if (phase == Phase::Cancelled) forget_cancel_origin(error);
  if (phase == Phase::Exception) report_link_ = ReportLink::here();
  set_error(std::move(error));
  task_finished(*this);
  if (sole_reference()) {
    completion().complete_alone(phase);
  } else {
    completion().complete(phase);
  }
  if (group != nullptr) group->member_done(*this);
  release();
}

bool TaskBase::release_on_loop() noexcept {
  if (done() || running_loop() != loop()) return false;
  drop_second_reference();
  return true;
}

void TaskBase::throw_awaits_itself() const {
  throw std::runtime_error("Task cannot await on itself: " + name());
}

// Under the lock: once it has the lock in end(), the task may be its group's last.
Ref<TaskBase> TaskBase::group_parent() const noexcept {
  const SpinGuard guard(tree_lock_);
  return Ref<TaskBase>(group_ != nullptr ? group_->awaiting_parent() : nullptr);
}

std::string TaskBase::name() const {
  const SpinGuard guard(tree_lock_);
  return name_ ? *name_ : "Task-" + std::to_string(id_);
}

void TaskBase::set_name(std::string_view name) {
  Box<std::string> text(new std::string(name));
  const SpinGuard guard(tree_lock_);
  name_.swap(text);
}

}  // namespace coil::detail
