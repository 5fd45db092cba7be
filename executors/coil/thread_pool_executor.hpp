// ThreadPoolExecutor: threads for functions that block (concurrent.futures.ThreadPoolExecutor).
#pragma once

#include <coil/detail/ref.hpp>
#include <coil/detail/unique_function.hpp>
#include <coil/executor.hpp>
#include <coil/executor_errors.hpp>
#include <cstddef>
#include <string>

namespace coil {

namespace detail {
class ThreadPool;
using Initializer = UniqueFunction<void()>;
}  // namespace detail

struct ThreadPoolOptions {
  int max_workers = 0;  // threads; 0: min(32, processors + 4)
  // Threads are named <prefix>-<number>, the prefix cut so that 15 characters suffice; default
  // "coil-thread".
  std::string thread_name_prefix = {};
  // Called on each thread before its first call, on several at the same time. One that throws
  // breaks the pool: what waits and what is submitted later fails with BrokenThreadPool.
  detail::Initializer initializer = {};
  std::size_t max_queue = 0;  // calls that wait beside those that have a thread; 0: no limit
};

// A call gets a thread of its own while there are fewer than max_workers: one that is idle, or a
// new one; otherwise it waits in line, first in first out. A thread that was idle for 10 s ends.
// Threads are bound to no processor and have their maker's signal mask.
//
// submit() throws std::system_error if not even one thread can be started, BrokenThreadPool if an
// initializer has thrown; what else it throws, see Executor.
class ThreadPoolExecutor final : public Executor {
 public:
  // Throws std::invalid_argument for a negative number of threads.
  explicit ThreadPoolExecutor(ThreadPoolOptions options = {});
  // As shutdown(), and waits: on a loop `co_await pool.shutdown()` first, or nothing else runs on
  // that loop until the last call has ended.
  ~ThreadPoolExecutor() override;

 private:
  void execute(Work& work) override;
  Future<void> close(ShutdownOptions options) override;

  detail::Ref<detail::ThreadPool> pool_;
};

}  // namespace coil
