#include <coil/detail/connection.hpp>
#include <coil/detail/connection_wait.hpp>
#include <utility>

namespace coil::detail {

constinit const LeafKind ConnectionWait::kinds[2] = {{"drain", &ConnectionWait::stop},
                                                     {"wait_closed", &ConnectionWait::stop}};

ConnectionWait::ConnectionWait(Connection& connection, For what) noexcept
    : Suspension(kinds[static_cast<int>(what)]), connection_(&connection), for_(what) {
  connection_->add_ref();
}

ConnectionWait::ConnectionWait(ConnectionWait&& other) noexcept
    : Suspension(*other.kind),
      connection_(std::exchange(other.connection_, nullptr)),
      for_(other.for_) {}

ConnectionWait::~ConnectionWait() {
  if (connection_ != nullptr) connection_->release();
}

bool ConnectionWait::await_ready() noexcept { return connection_->ready(for_); }
bool ConnectionWait::link() noexcept { return connection_->add_waiter(*this); }

void ConnectionWait::await_resume() {
  if (aborted != Abort::None) [[unlikely]]
    Suspension::task->throw_cancelled(aborted);
  connection_->check_lost(for_);
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
