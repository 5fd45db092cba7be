#include "worker_pool.hpp"

#include <pthread.h>
#include <signal.h>

#include <coil/detail/check.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/off_loop.hpp>
#include <coil/detail/processors.hpp>
#include <string>
#include <system_error>

#include "backend/choose.hpp"

namespace coil::detail {
namespace {

Atomic<std::size_t> loops_there{0};

}  // namespace

std::size_t loop_count() noexcept { return loops_there.load(std::memory_order_relaxed); }

bool loop_is_bound() noexcept {
  const Worker* worker = current_worker();
  return worker != nullptr && worker->pool().pinned();
}

WorkerPool::WorkerPool(const Settings& settings)
    : settings_(settings),
      places_(place_loops(Topology::machine().processors, settings.loops)),
      idle_set_(settings.loops) {
  make_workers();
  loops_there.fetch_add(workers_.size(), std::memory_order_relaxed);
  if (settings_.backend == coil::Backend::sim) return;
  try {
    start_threads();
    std::unique_lock lock(start_.mutex);
    start_.changed.wait(lock, [this] { return start_.pending == 0; });
  } catch (...) {
    close();  // those that have started
    throw;
  }
  if (!start_.failure) return;
  close();
  std::rethrow_exception(start_.failure);
}

void WorkerPool::make_workers() {
  NodeVisit visit(places_, pinned_on_several_nodes());
  auto backends = make_backends(settings_, visit);
  workers_.reserve(settings_.loops);
  for (unsigned i = 0; i < settings_.loops; ++i) {
    visit.of_loop(i);
    workers_.push_back(std::make_unique<Worker>(*this, i, std::move(backends[i])));
  }
}

WorkerPool::~WorkerPool() {
  close();
  exception_handler_->set({});  // the user's goes with us
}

// With the mask of the thread that makes them, which children inherit, and so that crash handlers
// and profilers work. A handler that runs on a loop's thread ends its wait early, as on loop 0.
void WorkerPool::start_threads() try {
  start_.pending = workers_.size() - 1;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    threads_.emplace_back([this, i] { thread_main(*workers_[i]); });
    const std::string name = settings_.name.substr(0, 10) + "-" + std::to_string(i);
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
} catch (const std::system_error& error) {
  throw std::system_error(error.code(), "coil: starting a thread for each of " +
                                            std::to_string(settings_.loops) + " loops");
}

// The last touch of start_ is the unlock, and start_ is as old as the thread.
bool WorkerPool::start_worker(Worker& worker) noexcept {
  bind(worker);
  std::exception_ptr failure;
  try {
    worker.backend().attach();
  } catch (...) {
    failure = std::current_exception();
  }
  const std::lock_guard lock(start_.mutex);
  if (failure && !start_.failure) start_.failure = failure;
  if (--start_.pending == 0) start_.changed.notify_one();
  return !failure;
}

bool WorkerPool::pinned() const noexcept {
  return settings_.pin && settings_.backend != coil::Backend::sim &&
         settings_.loops <= Topology::machine().processors.size();
}

void WorkerPool::bind(Worker& worker) noexcept {
  if (!pinned()) return;
  const Processor& place = places_[worker.index()];
  if (bind_thread(place.os_index) && on_several_nodes(places_)) frame_thread_is_on(place.node);
}

void WorkerPool::thread_main(Worker& worker) {
  if (!start_worker(worker)) return;
  set_current_worker(&worker);
  while (!stopping())
    if (!worker.turn()) worker.idle();
  worker.close_inbox();
  set_current_worker(nullptr);
}

void WorkerPool::attach_driver() {
  if (driver_ != 0 || settings_.backend == coil::Backend::sim) return;
  workers_.front()->backend().attach();
  driver_ = this_thread_number();
}

void WorkerPool::drive(const Atomic<bool>& done) {
  Worker& worker = *workers_.front();
  COIL_CHECK(current_worker() == nullptr, "a Runner is run inside a running loop");
  cpu_set_t before;
  const bool restore = pthread_getaffinity_np(pthread_self(), sizeof before, &before) == 0;
  set_current_worker(&worker);
  bind(worker);
  while (!done.load(std::memory_order_seq_cst)) {
    check_interrupt();
    if (!worker.turn() && !done.load(std::memory_order_seq_cst)) worker.idle();
  }
  check_interrupt();  // one that came in the last turn
  set_current_worker(nullptr);
  if (restore) pthread_setaffinity_np(pthread_self(), sizeof before, &before);
}

void WorkerPool::wake_driver() noexcept { wake(*workers_.front()); }

void WorkerPool::on_interrupt(void (*fn)(void*, int), void* argument) noexcept {
  interrupts_.store(0);
  interrupt_argument_ = argument;
  interrupt_fn_ = fn;
}

void WorkerPool::interrupt(int signal) noexcept {
  interrupts_.fetch_or(1U << static_cast<unsigned>(signal));
  workers_.front()->backend().unpark();
}

void WorkerPool::check_interrupt() noexcept {
  if (interrupts_.load(std::memory_order_relaxed) == 0) [[likely]]
    return;
  const unsigned arrived = interrupts_.exchange(0);
  if (interrupt_fn_ == nullptr) return;
  for (const int signal : {SIGINT, SIGTERM})
    if ((arrived & (1U << static_cast<unsigned>(signal))) != 0)
      interrupt_fn_(interrupt_argument_, signal);
}

void WorkerPool::wake(Worker& target) noexcept {
  Worker* here = current_worker();
  if (here != nullptr && &here->pool() == this) {
    if (here != &target) here->backend().unpark_other(target.backend());
  } else {
    target.backend().unpark();
  }
}

void WorkerPool::notify(unsigned near) noexcept {
  if (!settings_.steal) return;
  const int idle = idle_set_.claim_idle(near);
  if (idle >= 0) [[unlikely]]
    wake(*workers_[static_cast<std::size_t>(idle)]);
}

bool WorkerPool::notify_more(unsigned near) noexcept {
  bool more = !injector_.empty();
  for (std::size_t i = 0; settings_.steal && !more && i < workers_.size(); ++i)
    more = workers_[(near + i) % workers_.size()]->has_stealable();
  if (!more) return false;
  const int idle = idle_set_.claim_any(near);
  if (idle < 0) return false;
  wake(*workers_[static_cast<std::size_t>(idle)]);
  return true;
}

void WorkerPool::inject(TaskBase& task) noexcept {
  injector_.push(task);
  const int idle = idle_set_.claim_idle(0);
  if (idle >= 0) wake(*workers_[static_cast<std::size_t>(idle)]);
}

std::vector<Ref<TaskBase>> WorkerPool::live_tasks() {
  std::vector<Ref<TaskBase>> tasks;
  for (auto& worker : workers_)
    worker->registry().for_each([&](TaskBase& task) { tasks.emplace_back(&task); });
  return tasks;
}

std::size_t WorkerPool::live_task_count() {
  std::size_t count = 0;
  for (auto& worker : workers_) count += worker->registry().size();
  return count;
}

Metrics WorkerPool::metrics() {
  Metrics metrics;
  metrics.tasks = live_task_count();
  for (auto& worker : workers_) metrics.loops.push_back(worker->metrics());
  return metrics;
}

// What a callback began between the last look (wind_up) and refuse_tasks().
void WorkerPool::await_outside_work() {
  if (settings_.backend == coil::Backend::sim) return;  // it would be made on our own loops
  const OffLoop off_loop;
  if (const FutureRef drained = outside_count_.drained())
    drained->block_until_done("Runner::close", nullptr);
}

void WorkerPool::close() {
  if (closed()) return;
  signal_handlers_.close();
  watches_.close();
  stopping_.store(true, std::memory_order_release);
  for (auto& worker : workers_) worker->backend().unpark();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  // Loop 0's inbox, and under simulation everybody's, is emptied here.
  for (auto& worker : workers_) {
    if (worker->index() != 0 && settings_.backend != coil::Backend::sim) continue;
    Worker* before = current_worker();
    set_current_worker(worker.get());
    worker->close_inbox();
    set_current_worker(before);
  }
  for (auto& worker : workers_) worker->generators().disown_all();
  await_outside_work();
  delete lodger_.exchange(nullptr, std::memory_order_acq_rel);
  // Nobody but us is left, save threads that have just woken a task and are on their way out.
  gate_->close();
  for (auto& worker : workers_) worker->drop_timers();
  loops_there.fetch_sub(workers_.size(), std::memory_order_relaxed);
  closed_.store(true, std::memory_order_release);
}

}  // namespace coil::detail
