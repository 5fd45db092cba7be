// core's side of the seam (coil/detail/scheduler.hpp), in terms of workers.
#include <coil/detail/check.hpp>
#include <coil/detail/generator_base.hpp>
#include <coil/detail/loop_link.hpp>
#include <coil/detail/report_link.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/exceptions.hpp>
#include <coil/task_ref.hpp>
#include <new>

#include "worker_pool.hpp"

namespace coil {
namespace detail {

TaskBase* running_task() noexcept {
  Worker* worker = current_worker();
  return worker != nullptr ? worker->current() : nullptr;
}

Loop* running_loop() noexcept {
  Worker* worker = current_worker();
  return worker != nullptr ? &worker->loop() : nullptr;
}

ContextSlot& running_context() noexcept {
  Worker* worker = current_worker();
  if (worker == nullptr) return thread_context();
  TaskBase* task = worker->current();
  return task != nullptr ? task->context : worker->callback_context();
}

Vantage vantage_on(const TaskBase& task) noexcept {
  Worker& home = Worker::of(*task.loop());
  const Worker* here = current_worker();
  if (here == nullptr || &here->pool() != &home.pool())
    return home.pool().size() == 1 ? Vantage::Far : Vantage::Near;
  if (here->runs(task)) return Vantage::Running;
  if (home.pool().settings().backend == coil::Backend::sim) return Vantage::Still;
  if (here != &home || (home.shares() && task.affinity() != Affinity::loop)) return Vantage::Near;
  return Vantage::Still;
}

Loop& require_loop(std::string_view operation) {
  Worker* worker = current_worker();
  if (worker == nullptr) throw NoRunningLoop(operation);
  return worker->loop();
}

Loop& require_open_loop(std::string_view operation) {
  Worker* worker = current_worker();
  if (worker == nullptr) throw NoRunningLoop(operation);
  if (worker->pool().refuses_tasks()) [[unlikely]]
    throw LoopClosed(operation);
  return worker->loop();
}

bool loop_is_ending() noexcept {
  Worker* worker = current_worker();
  return worker != nullptr && worker->dropping();
}

void make_ready(TaskBase& task) noexcept {
  Worker& home = Worker::of(*task.loop());
  WorkerPool& pool = home.pool();
  Worker* here = current_worker();
  const bool stays = task.affinity() == Affinity::loop || !home.shares();
  if (here != nullptr && &here->pool() == &pool) [[likely]] {
    if (!stays) return here->push_task(task);
    if (here == &home) return home.push_task(task);
    COIL_CHECK(home.post(task), "a task is woken after its loop was closed");
    return;
  }
  // Once it is pushed the task may run and end, and the Runner go, while we still ring the bell.
  pool.gate().pass();
  if (stays) {
    COIL_CHECK(home.post(task), "a task is woken after its loop was closed");
  } else {
    pool.inject(task);
  }
  pool.gate().leave();
}

void make_ready_behind(TaskBase& task) noexcept { current_worker()->push_task_quietly(task); }

void post(Runnable& callback, Loop& loop) noexcept {
  Worker& worker = Worker::of(loop);
  if (current_worker() == &worker) {
    worker.push_pinned(callback);
  } else if (!worker.post(callback)) {
    callback.run(callback);  // the loop is closed: better here than never
  }
}

LoopLink::LoopLink(Loop& loop, Gate& gate) noexcept : loop_(&loop), gate_(&gate) { gate.add_ref(); }

LoopLink::~LoopLink() {
  if (gate_ != nullptr) gate_->release();
}

LoopLink LoopLink::here() noexcept {
  Worker* worker = current_worker();
  if (worker == nullptr) return {};
  return {worker->loop(), worker->pool().gate()};
}

// A thread that drives a loop of the same Runner keeps it from closing; every other is a visitor.
void LoopLink::post(Runnable& callback) const noexcept {
  Worker* worker = current_worker();
  if (worker != nullptr && &worker->pool().gate() == gate_) {
    detail::post(callback, *loop_);
  } else if (gate_ != nullptr && gate_->enter_late()) {
    detail::post(callback, *loop_);
    gate_->leave();
  } else {
    callback.run(callback);
  }
}

void start_task(TaskBase& task, Loop* home, bool eager) noexcept {
  Worker* here = current_worker();
  Worker& worker = home != nullptr ? Worker::of(*home) : *here;
  task.set_loop(&worker.loop());
  if (context_in_use() && task.inherits_context()) [[unlikely]]
    task.context.inherit_current();
  const bool alone = worker.pool().size() == 1;
  if (here != nullptr && &here->pool() == &worker.pool()) {
    task.set_id(here->next_task_id());
    here->registry().add(task);
    if (alone) task.begin_solo();
  } else {
    task.set_id(worker.pool().take_task_ids(1));
    if (!alone) worker.registry().add(task);  // alone: the loop does it, see drain_inbox()
  }
  if (eager && here == &worker) return here->run_eagerly(task);
  if (here == &worker) return worker.push_task(task);
  COIL_CHECK(worker.post(task), "a task is made on a loop that was closed");
}

bool push_fork(ForkedChild& child) noexcept { return current_worker()->push_fork(child); }
ForkTaken try_take_fork(ForkedChild& child) noexcept {
  return current_worker()->try_take_fork(child);
}
bool finish_take_fork() noexcept { return current_worker()->finish_take_fork(); }
bool forks_are_wanted() noexcept { return current_worker()->forks_are_wanted(); }
bool loop_shares() noexcept { return current_worker()->shares(); }

void generator_started(GeneratorBase& generator) noexcept {
  current_worker()->generators().add(generator);
}
void generator_finished(GeneratorBase& generator) noexcept {
  const Worker* here = current_worker();
  GeneratorRegistry::remove(generator, here != nullptr ? &here->pool() : nullptr);
}
bool post_to_home(GeneratorBase& generator) noexcept {
  return GeneratorRegistry::post_to_home(generator);
}

void task_finished(TaskBase& task) noexcept { TaskRegistry::remove(task); }

void arm_timer(Timer& timer, TimePoint deadline) noexcept {
  current_worker()->timers().arm(timer, deadline);
}
bool disarm_timer(Timer& timer) noexcept { return TimerWheel::disarm(timer); }

TimePoint now() noexcept {
  Worker* worker = current_worker();
  return worker != nullptr ? worker->now() : Clock::now();
}

void report(const ExceptionContext& context) noexcept {
  Worker* worker = current_worker();
  if (worker == nullptr) return print_exception_context(context);
  worker->pool().exception_handler().call(context);
}

ReportLink ReportLink::here() noexcept {
  ReportLink link;
  if (Worker* worker = current_worker()) {
    link.handler_ = &worker->pool().exception_handler();
    link.handler_->add_ref();
  }
  return link;
}

void ReportLink::drop() noexcept { handler_->release(); }

void ReportLink::report(const ExceptionContext& context) const noexcept {
  if (handler_ == nullptr) return detail::report(context);
  handler_->call(context);
}

bool debug_mode() noexcept {
  Worker* worker = current_worker();
  return worker != nullptr && worker->pool().debug();
}

}  // namespace detail

std::vector<TaskRef> all_tasks() {
  detail::Worker* worker = detail::current_worker();
  if (worker == nullptr) throw NoRunningLoop("all_tasks");
  std::vector<TaskRef> tasks;
  for (auto& task : worker->pool().live_tasks())
    if (!task->is_finalizer()) tasks.emplace_back(task.get());
  return tasks;
}

}  // namespace coil
