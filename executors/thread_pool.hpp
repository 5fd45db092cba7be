// The threads of a ThreadPoolExecutor, and how a call finds one.
//
// At most one thread is being woken or started at a time. It counts as searching until it has
// taken a call; then, if more wait and nobody else is searching, it raises the next one:
//
//   execute(), under the lock               a thread, under the lock
//   1. the call goes into the line          a. takes a call, searches no more
//   2. nobody searching: raise()            b. calls left, and nobody searching: raise()
//                                           c. runs the call, unlocked
//                                           d. searches again: a, or sleeps and searches no more
//
// So a call that waits while a thread could be had always has somebody on the way to it, and many
// calls at once cost their submitter one wake-up. A thread that has run out of calls looks for more
// for a moment before it sleeps, and counts as searching meanwhile: what comes then costs no wake.
// Invariant: as long as calls wait, somebody searches or max_workers calls run.
// Kept by tests/executors/thread_pool_test.cpp.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/executor_call.hpp>
#include <coil/thread_pool_executor.hpp>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "call_line.hpp"

namespace coil::detail {

class ThreadPool final : public CallHost {
 public:
  explicit ThreadPool(ThreadPoolOptions options);

  void execute(Work& work);
  Future<void> close(ShutdownOptions options);
  // After close(): until the threads have gone.
  void join() noexcept;

  void remove(ExecutorCall& call) noexcept override;

 private:
  ~ThreadPool() override = default;
  using Lock = std::unique_lock<std::mutex>;

  void check_open() const;
  void wait_for_room(Lock& lock);
  [[nodiscard]] bool full() const noexcept;
  void raise(Lock& lock);
  void start_thread(Lock& lock);
  void serve(std::size_t number) noexcept;
  [[nodiscard]] bool initialize(Lock& lock) noexcept;
  void break_down(Lock& lock) noexcept;
  void run_calls(Lock& lock) noexcept;
  [[nodiscard]] bool look_for_more(Lock& lock) noexcept;
  [[nodiscard]] bool sleep(Lock& lock);
  void leave(Lock& lock) noexcept;
  void name_thread(std::size_t number) const noexcept;

  ThreadPoolOptions options_;  // const but for the initializer, which is called
  const std::size_t threads_max_;

  std::mutex mutex_;  // all that follows
  std::condition_variable raised_changed_;
  std::condition_variable room_;
  CallLine line_;
  Atomic<std::size_t> line_size_{0};  // read without the lock by who looks for more
  std::size_t threads_ = 0;
  std::size_t busy_ = 0;       // run calls
  std::size_t searching_ = 0;  // will look into the line before they sleep
  std::size_t asleep_ = 0;
  std::size_t raised_ = 0;  // of those asleep; searching already
  std::size_t waiting_for_room_ = 0;
  std::size_t started_ = 0;    // ever, for their names
  unsigned fruitless_ = 0;     // looks for more that found nothing, one after the other
  bool closing_ = false;
  bool broken_ = false;
  std::vector<std::thread> handles_;
  std::thread ended_;  // the last one that left by itself, not joined yet
  Future<void> closed_ = create_future<void>();
};

}  // namespace coil::detail
