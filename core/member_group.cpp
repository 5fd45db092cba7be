#include <coil/detail/check.hpp>
#include <coil/detail/member_group.hpp>
#include <coil/exceptions.hpp>
#include <utility>

namespace coil::detail {

MemberGroup::~MemberGroup() {
  COIL_CHECK(members_ == 0, "a group or nursery is destroyed while its tasks run");
}

void MemberGroup::open(TaskBase& parent) noexcept {
  parent_ = &parent;
  parent.push_group(*this);
}

// One critical section: a task is either refused or on the list that a cancel goes through.
void MemberGroup::add_member(TaskBase& task) {
  const SpinGuard guard(lock());
  check_open(finished_);
  link(task);
  ++members_;
}

void MemberGroup::member_done(TaskBase& task) noexcept {
  if (task.phase() == FutureBase::Phase::Exception) {
    note_failure(task.error());
    member_failed();
  }
  leave(&task);
}

void MemberGroup::note_base_error(const std::exception_ptr& error) noexcept {
  if (!is_base_error(error)) return;
  const SpinGuard guard(lock());
  if (!base_error_) base_error_ = error;
}

void MemberGroup::note_failure(std::exception_ptr error) noexcept {
  note_base_error(error);
  const SpinGuard guard(lock());
  errors_.push_back(std::move(error));
}

void MemberGroup::hold() noexcept {
  const SpinGuard guard(lock());
  ++members_;
}

void MemberGroup::let_go() noexcept { leave(nullptr); }

void MemberGroup::leave(TaskBase* task) noexcept {
  FutureRef all_done;
  {
    const SpinGuard guard(lock());
    if (task != nullptr) {
      unlink(*task);
      if (task->cancelled()) member_cancelled_ = true;
    }
    if (--members_ == 0) all_done.swap(all_done_);
  }
  // From here on the group may be gone.
  if (all_done) all_done->finish_value();
}

// What the last member completes; null if there is no member, and will be none.
FutureRef MemberGroup::wait_ticket() {
  FutureRef ticket;
  for (;;) {
    {
      const SpinGuard guard(lock());
      finished_ = members_ == 0;
      if (finished_) return {};
      deaf_ = ending();
      if (ticket) {
        all_done_ = ticket;
        return ticket;
      }
    }
    ticket = FutureRef(new FutureState<void>, AdoptRef{});
  }
}

Coro<> MemberGroup::join() {
  while (const FutureRef ticket = wait_ticket()) {
    std::exception_ptr cancelled;
    try {
      co_await FutureWait(ticket, deaf_ ? joining_leaf : shielded_leaf);
    } catch (const CancelledError&) {
      cancelled = std::current_exception();
    }
    if (cancelled) parent_cancelled(std::move(cancelled));
  }
  parent_->pop_group(*this);
}

}  // namespace coil::detail
