// The threads of a ThreadPoolExecutor, and how a call finds one.
//
// At most one thread is being woken or started at a time. It counts as searching until it has
// taken a call (or calls the initializer); then, if more wait and nobody else is searching, it
// raises the next one:
//
//   execute(), under the lock               a thread, under the lock
//   1. the call goes into the line          a. takes a call, searches no more
//   2. raise_if_needed()                    b. raise_if_needed()
//                                           c. runs the call, unlocked
//                                           d. searches again: a, or sleeps and searches no more
//
// So a call that waits while a thread could be had always has somebody on the way to it, and many
// calls at once cost their submitter one wake-up. A thread that has run out of calls looks for more
// for a moment before it sleeps, and counts as searching meanwhile: what comes then costs no wake.
// Invariant: as long as calls wait, somebody searches; or no thread sleeps, and there are
// max_workers of them, or as many as wait call the initializer. (Or the system gives no more
// threads: those that are there take the calls one after the other.)
// Kept by tests/executors/thread_pool_test.cpp, "calls_everything_however_calls_and_threads_meet",
// and executor_stress.cpp.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/executor_call.hpp>
#include <coil/thread_pool_executor.hpp>
#include <coil/time.hpp>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "call_line.hpp"

namespace coil::detail {

class ThreadPool final : public CallHost {
 public:
  explicit ThreadPool(ThreadPoolOptions options, Duration idle_max = std::chrono::seconds(10));

  void execute(Work& work);
  Future<void> close(ShutdownOptions options);
  // The same without a future, which memory may be missing for.
  void close_calls(bool cancel) noexcept;
  // After that: until the threads have gone.
  void join() noexcept;

  void remove(ExecutorCall& call) noexcept override;

 private:
  ~ThreadPool() override = default;
  using Lock = std::unique_lock<std::mutex>;

  void check_open() const;
  void wait_for_room(Lock& lock);
  [[nodiscard]] bool full() const noexcept;
  void raise_if_needed() noexcept;
  void start_thread();
  void serve(std::size_t number) noexcept;
  [[nodiscard]] bool initialize(Lock& lock) noexcept;
  [[nodiscard]] std::exception_ptr call_initializer() noexcept;
  void break_down(Lock& lock, const std::exception_ptr& error) noexcept;
  [[nodiscard]] CallChain take_all() noexcept;
  [[nodiscard]] CallRef take() noexcept;
  void run_calls(Lock& lock) noexcept;
  [[nodiscard]] bool look_for_more(Lock& lock) noexcept;
  [[nodiscard]] bool sleep(Lock& lock);
  void leave(Lock& lock) noexcept;
  void name_thread(std::size_t number) const noexcept;

  ThreadPoolOptions options_;  // const but for the initializer, which is called
  const std::size_t threads_max_;
  const Duration idle_max_;  // then a thread ends

  std::mutex mutex_;  // all that follows
  std::condition_variable raised_changed_;
  std::condition_variable room_;
  CallLine line_;
  Atomic<std::size_t> line_size_{0};  // read without the lock by who looks for more
  std::size_t threads_ = 0;
  std::size_t busy_ = 0;          // run calls
  std::size_t searching_ = 0;     // will look into the line before they sleep
  std::size_t initializing_ = 0;  // will search, each for a call that waits
  std::size_t asleep_ = 0;
  std::size_t raised_ = 0;  // of those asleep; searching already
  std::size_t waiting_for_room_ = 0;
  std::size_t started_ = 0;  // ever, for their names
  unsigned fruitless_ = 0;   // looks for more that found nothing, one after the other
  bool closing_ = false;
  bool broken_ = false;
  bool detached_ = false;  // nobody is left to join what is started from here on
  std::vector<std::thread> handles_;
  std::thread ended_;                  // the last one that left by itself, not joined yet
  std::vector<Future<void>> waiting_;  // for the end; one for each caller: it may cancel its own
};

}  // namespace coil::detail
