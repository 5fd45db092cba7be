// What TaskGroup and Nursery have in common: members that are counted, failures that are collected,
// and a parent that waits for all of them.
//
// Invariant: members_ counts the tasks that have joined and not ended, and what else holds the
// group (hold()). Only the parent leaves, and only when it finds 0 under the lock; from then on
// nobody joins. So the group is there for whoever is counted.
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/scope_node.hpp>
#include <coil/detail/task_base.hpp>
#include <exception>
#include <vector>

namespace coil::detail {

class MemberGroup : public GroupNode {
 public:
  MemberGroup(const MemberGroup&) = delete;
  MemberGroup& operator=(const MemberGroup&) = delete;

  void add_member(TaskBase& task) override;
  void member_done(TaskBase& task) noexcept override;
  [[nodiscard]] TaskBase* awaiting_parent() const noexcept override { return parent_; }

 protected:
  MemberGroup() = default;
  ~MemberGroup();

  void open(TaskBase& parent) noexcept;
  // Waits for the members, then closes the group.
  [[nodiscard]] Coro<> join();

  // Under the lock: throws if no task may join. `finished`: the parent has left.
  virtual void check_open(bool finished) const = 0;
  // A member has failed, which has been noted. It still counts.
  virtual void member_failed() noexcept = 0;
  // The parent was cancelled in join().
  virtual void parent_cancelled(std::exception_ptr error) noexcept = 0;
  // Under the lock: the members are ending, so that a cancel of the parent has nothing to add.
  [[nodiscard]] virtual bool ending() const noexcept = 0;

  void hold() noexcept;
  void let_go() noexcept;  // may be the last use of the group
  void note_failure(std::exception_ptr error) noexcept;
  void note_base_error(const std::exception_ptr& error) noexcept;
  [[nodiscard]] TaskBase& parent() const noexcept { return *parent_; }

  // Once nobody is a member any more, the parent's alone.
  std::vector<std::exception_ptr> errors_;
  std::exception_ptr base_error_;  // the first KeyboardInterrupt or its like
  bool member_cancelled_ = false;

 private:
  void leave(TaskBase* task) noexcept;
  [[nodiscard]] FutureRef wait_ticket();

  TaskBase* parent_ = nullptr;
  int members_ = 0;
  bool finished_ = false;
  bool deaf_ = false;
  FutureRef all_done_;
};

}  // namespace coil::detail
