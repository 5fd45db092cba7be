#include "served.hpp"

#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_base.hpp>
#include <coil/exception_context.hpp>
#include <coil/exceptions.hpp>
#include <string>
#include <utility>

#include "server_state.hpp"

namespace coil::detail {

Served::Served(ServerState& server, Connection& connection) noexcept
    : server_(&server), connection_(&connection) {
  wake = &on_done;
  closed = &on_closed;
}

void Served::wait_for(TaskBase& task) noexcept {
  task_ = &task;
  if (!task.completion().add(*this)) on_done(*this);
}

// The task keeps itself alive while it calls this.
void Served::on_done(FutureWaiter& waiter) noexcept {
  auto& self = static_cast<Served&>(waiter);
  const bool failed = self.task_->phase() != FutureBase::Phase::Value;
  self.finish(failed ? self.task_->error() : nullptr, self.task_);
}

// Under no lock of the connection's.
void Served::on_closed(ClosedHook& hook) noexcept { static_cast<Served&>(hook).end_part(); }

void Served::finish(std::exception_ptr error, TaskBase* task) noexcept {
  if (error) {
    connection_->close();
    if (!is_cancelled_error(error)) report_error(std::move(error), task);
  }
  end_part();
}

void Served::end_part() noexcept {
  const Ref<ServerState> server = server_;
  if (!server->leave(*this)) return;  // the other part may have deleted it by now
  delete this;
  server->connection_ended();
}

void Served::report_error(std::exception_ptr error, TaskBase* task) noexcept {
  try {
    ExceptionContext context;
    context.message = "Unhandled exception in the handler of " +
                      connection_->peername().to_string() + "'s connection";
    context.exception = std::move(error);
    if (task != nullptr) {
      context.task = TaskRef(task);
      context.origin = task->origin();
    }
    report(context);
  } catch (...) {  // out of memory: the report is lost
  }
}

}  // namespace coil::detail
