// The tree that level cancellation walks: scopes along a task's stack, groups that hang from them.
//
// A task carries a chain of scopes, innermost first; below a task made in a group the chain goes
// on with the scopes around that group in the parent task. The parent cannot leave those before
// the child has ended, so a task may walk its own chain upwards without a lock. Anybody else
// holds TaskBase::tree_lock, under which a task pushes and pops scopes and groups and detaches
// from its group when it ends.
//
//   canceller                              a task that suspends          a task made in a group
//   1. scope.cancelled = true              a. clears Level               i.  joins the group's list
//   2. under tree_lock: chain effective?   b. chain effective? then         (group lock)
//      then sets Level, maybe Hooking         sets Level again, throws   ii. chain effective? then
//   3. same for the groups' members        c. suspends; sees Level set       sets Level
//                                             after a
// 1 before 2 and a before b, all on seq_cst or read-modify-write words: either b sees 1, or c
// sees 2. The same pair holds for i/ii and 1/3.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/spin_lock.hpp>
#include <coil/time.hpp>
#include <string>
#include <string_view>

namespace coil::detail {

class TaskBase;

struct ScopeNode {
  ScopeNode* parent = nullptr;
  TaskBase* task = nullptr;
  Atomic<bool> claimed{false};    // somebody cancels: the first one's reason stands
  Atomic<bool> cancelled{false};  // ... and has written the reason
  Atomic<bool> shield{false};
  Atomic<TimePoint> deadline{never};
  std::string reason;

  // Marks the scope cancelled; false if it was, by the time it returns. The caller then delivers,
  // see TaskBase. Throws std::bad_alloc, and then it is not.
  bool mark_cancelled(std::string_view why) {
    std::string text(why);
    if (claimed.exchange(true, std::memory_order_acq_rel)) {
      // Another thread is between the two: a few instructions.
      while (!cancelled.load(std::memory_order_acquire)) spin_wait_long();
      return false;
    }
    reason.swap(text);
    cancelled.store(true, std::memory_order_seq_cst);
    return true;
  }
};

// True if a task whose innermost scope is `scope` is to be cancelled: some scope outwards is, and
// no shield lies in between. A shielded scope's own cancellation counts.
[[nodiscard]] inline bool effectively_cancelled(const ScopeNode* scope) noexcept {
  for (; scope != nullptr; scope = scope->parent) {
    if (scope->cancelled.load(std::memory_order_seq_cst)) return true;
    if (scope->shield.load(std::memory_order_seq_cst)) return false;
  }
  return false;
}

// The text given to the innermost cancelled scope that `scope` can see.
[[nodiscard]] inline std::string_view cancel_reason(const ScopeNode* scope) noexcept {
  for (; scope != nullptr; scope = scope->parent)
    if (scope->cancelled.load(std::memory_order_acquire)) return scope->reason;
  return {};
}

// The tasks of a TaskGroup or Nursery. Lives in the parent task's frame.
class GroupNode {
 public:
  GroupNode() = default;
  GroupNode(const GroupNode&) = delete;
  GroupNode& operator=(const GroupNode&) = delete;

  ScopeNode* scope = nullptr;      // innermost scope of the parent when the group was opened
  GroupNode* next_open = nullptr;  // the parent's other open groups, innermost first

  // Calls fn(task) for every member, under the lock.
  template <class Fn>
  void for_each(Fn&& fn) noexcept;

  // Lets the task in, or throws why not. Under no lock.
  virtual void add_member(TaskBase& task) = 0;

  // Called by a member that has ended, on its thread, after its future is completed. Must be the
  // group's last use of the member; may be the member's last use of the group.
  virtual void member_done(TaskBase& task) noexcept = 0;

  // Who waits for the members; null if nobody is known.
  [[nodiscard]] virtual TaskBase* awaiting_parent() const noexcept { return nullptr; }

 protected:
  ~GroupNode() = default;

  [[nodiscard]] SpinLock& lock() const noexcept { return lock_; }
  // Under the lock.
  void link(TaskBase& task) noexcept;
  void unlink(TaskBase& task) noexcept;

 private:
  mutable SpinLock lock_;
  TaskBase* first_ = nullptr;
};

}  // namespace coil::detail
