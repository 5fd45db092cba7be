// The workers of a ProcessPoolExecutor, and how a call finds one.
//
// A submitter packs its call and, if a worker is idle, sends it there itself. One thread of the
// pool does all the rest: it starts workers, receives what they answer, gives them the next call,
// sees them die. While calls wait in line it sends a busy worker a few small ones ahead, so that
// the worker need not wait for the thread; if the worker does not get to them soon, or dies, they
// are taken back (worker_control.hpp says how without making one twice).
//
// Invariant: a call is in the line, or in one worker's `calls`, or done. As long as calls wait, a
// worker runs a call or is being started, or the pool's thread is about to see to it.
// Invariant: futures are completed without the lock: their callbacks may call the pool.
#pragma once

#include <coil/detail/executor_call.hpp>
#include <coil/detail/remote_call.hpp>
#include <coil/process_pool_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "call_line.hpp"
#include "descriptor.hpp"
#include "worker_process.hpp"

namespace coil::detail {

class ProcessPool final : public CallHost {
 public:
  explicit ProcessPool(ProcessPoolOptions options);

  void execute(Work& work);
  Future<void> close(ShutdownOptions options);
  // All workers, now; and close.
  void end_workers(int signal);
  // After close(): until the workers have gone.
  void join() noexcept;

  void remove(ExecutorCall& call) noexcept override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  using State = WorkerProcess::State;
  using Clock = WorkerProcess::Clock;

  ~ProcessPool() override = default;

  // Any thread; with the lock where they take one.
  void check_open() const;
  void pack(ExecutorCall& call);
  void start_thread(Lock& lock);
  void wake() const noexcept;
  // Sends it calls from the line; false: it has none now.
  bool refill(WorkerProcess& worker);
  bool not_sent(WorkerProcess& worker, std::vector<CallRef>& batch, int error);
  bool refill_again(WorkerProcess& worker, bool later);
  void put_back(CallRef call);

  // The pool's thread. process_pool_thread.cpp
  void serve() noexcept;
  [[nodiscard]] bool manage(Lock& lock);
  void wait_for_events(int timeout_ms);
  void on_socket(WorkerProcess& worker);
  [[nodiscard]] bool expects_nothing(const WorkerProcess& worker) const;
  void on_message(WorkerProcess& worker, const InMessage& message);
  void on_result(WorkerProcess& worker, const InMessage& message);
  void on_end(WorkerProcess& worker);
  void make_ready(WorkerProcess& worker);
  void next_calls(WorkerProcess& worker);
  void take_back_from(WorkerProcess& worker);
  void rescue();
  [[nodiscard]] bool start_worker(Lock& lock);
  void give_up_refused(Lock& lock);
  void dismiss_workers();
  [[nodiscard]] std::size_t wanted_workers() const noexcept;
  void break_down(Lock& lock, const std::string& why, bool for_good);
  static void complete(const CallRef& call, const InMessage& message, WorkerProcess& worker);
  static void give_up(CallLine& calls, const std::string& why) noexcept;
  [[nodiscard]] int timeout_ms() const noexcept;

  const ProcessPoolOptions options_;
  const std::size_t workers_max_;
  const Environment environment_;
  const Ref<RegionStore> regions_{new RegionStore, AdoptRef{}};
  Packer welcome_{regions_.get()};
  const std::string identity_ = executable_identity();
  const Descriptor wake_;    // eventfd
  const Descriptor events_;  // epoll

  mutable std::mutex mutex_;  // all that follows
  CallLine line_;
  CallLine refused_;  // by the kernel, and why; the pool's thread says so
  std::string refused_why_;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;
  std::vector<WorkerProcess*> idle_;
  std::size_t target_ = 0;      // how many workers there shall be
  std::size_t ready_ = 0;       // how many can be called
  std::size_t sent_ahead_ = 0;  // since they were last looked for
  Clock::time_point rescued_{};
  int failed_starts_ = 0;  // one after the other
  int killed_starts_ = 0;
  Clock::time_point start_after_{};
  bool closing_ = false;
  int ended_by_ = 0;    // the signal of end_workers()
  std::string broken_;  // why
  std::thread thread_;
  bool started_ = false;
  bool gone_ = false;  // the thread has come to its end
  std::vector<Future<void>> closers_;
};

}  // namespace coil::detail
