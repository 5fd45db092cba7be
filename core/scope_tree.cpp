// The edges of the tree in scope_node.hpp: who pushes, pops, joins and leaves.
#include <coil/detail/check.hpp>
#include <coil/detail/task_base.hpp>

namespace coil::detail {

void TaskBase::push_scope(ScopeNode& scope) noexcept {
  scope.task = this;
  const SpinGuard guard(tree_lock_);
  scope.parent = scope_;
  scope_ = &scope;
}

void TaskBase::pop_scope(ScopeNode& scope) noexcept {
  {
    const SpinGuard guard(tree_lock_);
    COIL_CHECK(scope_ == &scope, "cancel scopes are left in the order they were entered");
    scope_ = scope.parent;
  }
  // Behind a shield an outer cancellation was not seen; from here on it is.
  if (scope.shield.load(std::memory_order_relaxed) && effectively_cancelled(scope_)) flag_level();
}

void TaskBase::push_group(GroupNode& group) noexcept {
  const SpinGuard guard(tree_lock_);
  group.scope = scope_;
  group.next_open = groups_;
  groups_ = &group;
}

// A fork's group may lie above one that was opened after it: it is added when a child is stolen.
void TaskBase::pop_group(GroupNode& group) noexcept {
  const SpinGuard guard(tree_lock_);
  GroupNode** link = &groups_;
  while (*link != nullptr && *link != &group) link = &(*link)->next_open;
  COIL_CHECK(*link == &group, "a task leaves a group that it has not opened");
  *link = group.next_open;
}

void TaskBase::add_group(GroupNode& group, ScopeNode* scope, bool& added) noexcept {
  const SpinGuard guard(tree_lock_);
  if (added) return;
  added = true;
  group.scope = scope;
  group.next_open = groups_;
  groups_ = &group;
}

void TaskBase::join_group(GroupNode& group) {
  scope_ = group.scope;
  group.add_member(*this);
  group_ = &group;
  if (effectively_cancelled(scope_)) flag_level();
}

void GroupNode::link(TaskBase& task) noexcept {
  task.group_previous_ = nullptr;
  task.group_next_ = first_;
  if (first_ != nullptr) first_->group_previous_ = &task;
  first_ = &task;
}

void GroupNode::unlink(TaskBase& task) noexcept {
  (task.group_previous_ != nullptr ? task.group_previous_->group_next_ : first_) = task.group_next_;
  if (task.group_next_ != nullptr) task.group_next_->group_previous_ = task.group_previous_;
}

}  // namespace coil::detail
