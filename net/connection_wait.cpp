#include <coil/detail/connection.hpp>
#include <coil/detail/connection_wait.hpp>

namespace coil::detail {

constinit const LeafKind ConnectionWait::kinds[2] = {{"drain", &ConnectionWait::stop},
                                                     {"wait_closed", &ConnectionWait::stop}};

void ConnectionLoan::own() noexcept {
  connection_->add_handle();
  owns_ = true;
}

void ConnectionLoan::give_back() noexcept { connection_->drop_handle(); }

bool ConnectionWait::await_ready() noexcept {
  return (for_ == For::Drained && !connection_->congested_or_lost()) || connection_->ready(for_);
}
bool ConnectionWait::link() noexcept { return connection_->add_waiter(*this); }

void ConnectionWait::await_resume() {
  if (aborted != Abort::None) [[unlikely]]
    Suspension::task->throw_cancelled(aborted);
  if (for_ == For::Closed || connection_->congested_or_lost()) connection_->check_lost(for_);
}

HookResult ConnectionWait::stop(Suspension& leaf, Abort kind) noexcept {
  auto& self = static_cast<ConnectionWait&>(leaf);
  HookResult result;
  result.taken = self.connection_->remove_waiter(self);
  if (!result.taken) return result;  // it is being woken
  self.aborted = kind;
  self.Suspension::task->wake();
  return result;
}

}  // namespace coil::detail
