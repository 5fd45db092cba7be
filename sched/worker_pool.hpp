// The loops of one Runner and what they share: injector, idle set, options, exception handler.
#pragma once

#include <atomic>
#include <coil/detail/lodger.hpp>
#include <coil/detail/ref.hpp>
#include <coil/exception_context.hpp>
#include <coil/metrics.hpp>
#include <coil/run_options.hpp>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "descriptor_watch.hpp"
#include "exception_handler.hpp"
#include "gate.hpp"
#include "idle_set.hpp"
#include "injector.hpp"
#include "outside_count.hpp"
#include "settings.hpp"
#include "signal_handlers.hpp"
#include "thread_number.hpp"
#include "topology.hpp"
#include "worker.hpp"

namespace coil::detail {

class WorkerPool {
 public:
  explicit WorkerPool(const Settings& settings);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();

  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
  [[nodiscard]] std::size_t size() const noexcept { return workers_.size(); }
  [[nodiscard]] Worker& worker(std::size_t index) noexcept { return *workers_[index]; }
  [[nodiscard]] const std::vector<Processor>& places() const noexcept { return places_; }
  // Loops keep to their processors. With more loops than processors the kernel places them better.
  [[nodiscard]] bool pinned() const noexcept;
  [[nodiscard]] bool pinned_on_several_nodes() const noexcept {
    return pinned() && on_several_nodes(places_);
  }
  [[nodiscard]] Injector& injector() noexcept { return injector_; }
  [[nodiscard]] IdleSet& idle_set() noexcept { return idle_set_; }
  [[nodiscard]] ExceptionHandler& exception_handler() noexcept { return *exception_handler_; }
  // Of the main tasks: a Runner's runs share one, as in asyncio. Between runs.
  [[nodiscard]] ContextSlot& main_context() noexcept { return main_context_; }
  [[nodiscard]] Gate& gate() const noexcept { return *gate_; }
  [[nodiscard]] OutsideCount& outside_count() noexcept { return outside_count_; }
  // What another room keeps with us, made at first use. Any thread, until we are closed.
  [[nodiscard]] Lodger& lodger(MakeLodger make);
  [[nodiscard]] SignalHandlers& signal_handlers() noexcept { return signal_handlers_; }
  [[nodiscard]] DescriptorWatches& watches() noexcept { return watches_; }
  // Any thread, at any time.
  [[nodiscard]] bool debug() const noexcept { return debug_.load(std::memory_order_relaxed); }
  void set_debug(bool on) noexcept { debug_.store(on, std::memory_order_relaxed); }
  [[nodiscard]] Duration slow_callback_duration() const noexcept {
    return Duration(slow_callback_.load(std::memory_order_relaxed));
  }
  void set_slow_callback_duration(Duration limit) noexcept {
    slow_callback_.store(limit.count(), std::memory_order_relaxed);
  }
  // Whether this thread drives one of our loops.
  [[nodiscard]] bool is_inside() const noexcept {
    const Worker* here = current_worker();
    return here != nullptr && &here->pool() == this;
  }
  [[nodiscard]] std::uint64_t take_task_ids(std::uint64_t count) noexcept {
    return next_task_id_.fetch_add(count, std::memory_order_relaxed);
  }

  // Any thread: a stealable task was pushed somewhere.
  void notify(unsigned near) noexcept;
  bool notify_more(unsigned near) noexcept;  // there may be more; true: somebody was woken
  // Any thread: a task of no loop in particular.
  void inject(TaskBase& task) noexcept;
  void wake(Worker& target) noexcept;

  [[nodiscard]] std::vector<Ref<TaskBase>> live_tasks();
  [[nodiscard]] std::size_t live_task_count();
  [[nodiscard]] Metrics metrics();

  // Drives loop 0 on this thread until `done` (which may become true on another loop; call
  // wake_driver() then). The other loops have their own threads.
  void drive(const Atomic<bool>& done);
  // Whether this thread may: loop 0 belongs to the first one that does.
  [[nodiscard]] bool may_drive() const noexcept {
    return driver_ == 0 || driver_ == this_thread_number();
  }
  // Makes this thread the one, unless somebody is. Throws std::system_error.
  void attach_driver();
  void wake_driver() noexcept;
  // As long as it lives, loop 0 is being driven.
  class Driven {
   public:
    explicit Driven(WorkerPool& pool) noexcept : flag_(pool.driven_) {
      flag_.store(true, std::memory_order_release);
    }
    ~Driven() { flag_.store(false, std::memory_order_release); }
    Driven(const Driven&) = delete;
    Driven& operator=(const Driven&) = delete;

   private:
    Atomic<bool>& flag_;
  };
  [[nodiscard]] bool driven() const noexcept { return driven_.load(std::memory_order_acquire); }
  // Loop 0 calls the function on its next turn, for SIGINT or SIGTERM.
  void on_interrupt(void (*fn)(void*, int signal), void* argument) noexcept;
  void interrupt(int signal) noexcept;  // async-signal-safe
  void check_interrupt() noexcept;

  // From here on nobody makes a task: LoopClosed.
  void refuse_tasks() noexcept { refuses_tasks_.store(true, std::memory_order_release); }
  [[nodiscard]] bool refuses_tasks() const noexcept {
    return refuses_tasks_.load(std::memory_order_acquire);
  }
  // Stops the threads, runs what the inboxes accepted, closes them. Nothing must be left running.
  // Then the lodger goes.
  void close();
  [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  [[nodiscard]] bool stopping() const noexcept { return stopping_.load(std::memory_order_acquire); }

 private:
  // What the threads tell the constructor.
  struct Start {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t pending = 0;
    std::exception_ptr failure;
  };

  void make_workers();
  void await_outside_work();
  void start_threads();
  [[nodiscard]] bool start_worker(Worker& worker) noexcept;
  void thread_main(Worker& worker);
  void bind(Worker& worker) noexcept;

  const Settings settings_;
  Atomic<bool> debug_{settings_.debug};
  Atomic<Duration::rep> slow_callback_{Duration(std::chrono::milliseconds(100)).count()};
  Atomic<bool> refuses_tasks_{false};
  std::vector<Processor> places_;
  Injector injector_;
  IdleSet idle_set_;
  Ref<ExceptionHandler> exception_handler_{new ExceptionHandler, AdoptRef{}};
  ContextSlot main_context_;
  OutsideCount outside_count_;
  Atomic<Lodger*> lodger_{nullptr};  // owned, see lodger()
  SignalHandlers signal_handlers_{this};
  DescriptorWatches watches_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Start start_;
  std::vector<std::thread> threads_;
  std::uint64_t driver_ = 0;              // this_thread_number(), once somebody is
  Ref<Gate> gate_{new Gate, AdoptRef{}};  // counted, see LoopLink
  Atomic<std::uint64_t> next_task_id_{1};
  Atomic<bool> driven_{false};
  Atomic<bool> stopping_{false};
  Atomic<bool> closed_{false};
  std::atomic<unsigned> interrupts_{0};  // a bit for each signal that has come
  void (*interrupt_fn_)(void*, int) = nullptr;
  void* interrupt_argument_ = nullptr;
};

}  // namespace coil::detail
