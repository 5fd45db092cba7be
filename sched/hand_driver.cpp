#include "hand_driver.hpp"

#include <coil/exceptions.hpp>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "driver.hpp"
#include "settings.hpp"
#include "shutdown.hpp"

namespace coil {
namespace detail {
namespace {

// Reachable, so that leak checkers see no mistake in it.
void keep_for_ever(Box<HandDriver> driver) {
  static std::mutex mutex;
  static auto& kept = *new std::vector<Box<HandDriver>>;
  const std::lock_guard lock(mutex);
  kept.push_back(std::move(driver));
}

// The thread is its owner's: it is not bound to a processor.
Settings settings_of_one_loop() { return resolve({.loops = 1, .pin = false}); }

}  // namespace

HandDriver::HandDriver() : pool_(settings_of_one_loop()) {}

void HandDriver::check_can_run(const char* operation) {
  if (pool_.closed()) throw LoopClosed(operation);
  if (pool_.driven()) throw std::runtime_error("This event loop is already running");
  if (current_worker() != nullptr)
    throw std::runtime_error("Cannot run the event loop while another loop is running");
  if (!pool_.may_drive())
    throw std::runtime_error(std::string(operation) +
                             " must be called by the thread that ran this event loop first: its "
                             "ring belongs to that thread");
  pool_.attach_driver();
}

void HandDriver::run() {
  Driver driver(pool_);
  const bool alive = driver.run_until(halt_);
  halt_.store(false, std::memory_order_relaxed);
  number_.fetch_add(1, std::memory_order_relaxed);
  if (!alive) throw std::runtime_error("deadlock: nothing can run any more, and nothing ever will");
}

bool HandDriver::run_until_done(FutureBase& future) {
  struct Ender : FutureWaiter {
    HandDriver* driver = nullptr;
  } ender;
  ender.driver = this;
  ender.wake = [](FutureWaiter& waiter) noexcept { static_cast<Ender&>(waiter).driver->halt(); };
  if (!future.completion().add(ender)) return true;
  try {
    run();
  } catch (...) {
    (void)future.completion().remove(ender);
    throw;
  }
  return !future.completion().remove(ender);
}

void HandDriver::run_forever() { run(); }

void HandDriver::forget_loop() noexcept {
  pool_.gate().shut();
  worker().reset_loop();
  for (const auto& task : pool_.live_tasks()) task->set_loop(&worker().loop());
}

void HandDriver::close() {
  if (pool_.closed()) return;
  if (pool_.driven()) throw std::runtime_error("Cannot close a running event loop");
  wind_up(pool_);
  pool_.close();
}

}  // namespace detail

Loop::Loop(detail::Worker& worker) noexcept : worker_(&worker) {}

Loop::Loop(detail::Box<detail::HandDriver> driver) noexcept
    : worker_(&driver->worker()), driver_(std::move(driver)) {
  worker_->set_loop(*this);
}

// As of a Runner: what cannot be closed here cannot be freed either, but for this object.
Loop::~Loop() {
  if (!driver_) return;
  try {
    close();
  } catch (...) {
    ExceptionContext context;
    context.message = "an event loop is destroyed that cannot be closed: it is left as it is";
    context.exception = std::current_exception();
    detail::print_exception_context(context);
    driver_->forget_loop();
    detail::keep_for_ever(std::move(driver_));
  }
}

detail::HandDriver& Loop::by_hand(const char* operation) const {
  if (driver_) return *driver_;
  throw std::runtime_error(std::string("Loop::") + operation +
                           ": the loop belongs to a Runner, which runs and closes it; "
                           "new_event_loop() makes one that is driven by hand");
}

void Loop::check_can_run(const char* operation) const {
  by_hand(operation).check_can_run(operation);
}

void Loop::run_task(const TaskRef& task) {
  detail::TaskBase& base = *task.get();
  if (!driver_->run_until_done(base))
    throw std::runtime_error("Event loop stopped before Future completed.");
  base.throw_unless_value();
}

void Loop::run_forever() {
  check_can_run("run_forever");
  driver_->run_forever();
}

// Behind what is ready; and the loop may go as soon as it has run.
void Loop::stop() {
  detail::HandDriver& driver = by_hand("stop");
  call_soon_threadsafe([&driver, run = driver.run_number()] {
    if (driver.run_number() == run) driver.halt();
  });
}

void Loop::close() { by_hand("close").close(); }

bool Loop::is_running() const noexcept {
  const detail::WorkerPool& pool = worker_->pool();
  if (pool.settings().backend == Backend::sim || worker_->index() == 0) return pool.driven();
  return !pool.stopping();
}

std::unique_ptr<Loop> new_event_loop() {
  return std::unique_ptr<Loop>(new Loop(detail::Box(new detail::HandDriver)));
}

}  // namespace coil
