#include <coil/runner.hpp>
#include <stdexcept>

#include "main_task.hpp"
#include "settings.hpp"
#include "shutdown.hpp"
#include "worker_pool.hpp"

namespace coil {

Runner::Runner(RunOptions options) : pool_(new detail::WorkerPool(detail::resolve(options))) {
  for (std::size_t i = 0; i < pool_->size(); ++i) loops_.push_back(&pool_->worker(i).loop());
}

// What cannot be closed here (the message says why) cannot be freed either.
Runner::~Runner() {
  try {
    close();
  } catch (...) {
    ExceptionContext context;
    context.message = "a Runner is destroyed that cannot be closed: its loops are left as they are";
    context.exception = std::current_exception();
    detail::print_exception_context(context);
    [[maybe_unused]] const auto* leaked = new detail::Box(std::move(pool_));
  }
}

void Runner::close() {
  if (pool_->closed()) return;
  detail::wind_up(*pool_);
  pool_->close();
}

Metrics Runner::metrics() const { return pool_->metrics(); }

void Runner::check_can_run() const {
  if (pool_->closed()) throw LoopClosed("Runner::run");
  if (detail::current_worker() != nullptr)
    throw std::runtime_error(
        "run() cannot be called from a running event loop: co_await the coroutine instead");
  if (!pool_->may_drive())
    throw std::runtime_error(
        "Runner::run() must be called by the thread that called it first: loop 0 and its ring "
        "belong to that thread");
  pool_->attach_driver();
}

// The main task may move, but it starts on loop 0, which this thread is about to drive.
void Runner::adopt_main(detail::TaskBase& task) {
  detail::Worker& worker = pool_->worker(0);
  if (detail::context_in_use()) {
    if (pool_->main_context().empty()) pool_->main_context().inherit_current();
    task.context.share(pool_->main_context());
  }
  task.set_loop(&worker.loop());
  task.set_id(worker.next_task_id());
  worker.registry().add(task);
  worker.push_pinned(task);
}

void Runner::finish_main(const TaskRef& task, bool cancel_rest) {
  using Rest = detail::MainTask::Rest;
  detail::MainTask(*pool_, *task.get()).run(cancel_rest ? Rest::Cancel : Rest::Keep);
}

}  // namespace coil
