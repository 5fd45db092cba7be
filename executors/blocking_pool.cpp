#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <coil/detail/blocking_pool.hpp>
#include <coil/detail/processors.hpp>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace coil::detail {
namespace {

class BlockingPool {
 public:
  BlockingPool() noexcept = default;
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;
  ~BlockingPool() = delete;

  void run(UniqueFunction<void()> call) {
    std::unique_lock lock(mutex_);
    calls_.push_back(std::move(call));
    if (idle_ >= calls_.size() || threads_ == threads_max_) {
      lock.unlock();
      work_.notify_one();
      return;
    }
    try {
      start_thread();
      ++threads_;
    } catch (const std::system_error&) {
      if (threads_ != 0) return;  // one of them will get to it
      calls_.pop_back();
      throw;
    }
  }

 private:
  static constexpr auto idle_max = std::chrono::seconds(10);

  // Signals are for the program's own threads.
  void start_thread() {
    sigset_t blocked, before;
    sigfillset(&blocked);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    try {
      std::thread([this] { serve(); }).detach();
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void serve() {
    pthread_setname_np(pthread_self(), "coil-lookup");
    unbind_thread();
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      const bool called = work_.wait_for(lock, idle_max, [this] { return !calls_.empty(); });
      --idle_;
      if (!called) break;
      auto call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      call();
      call = {};  // what it holds goes outside the lock
      lock.lock();
    }
    --threads_;
  }

  // As asyncio's default executor.
  const std::size_t threads_max_ = std::min<std::size_t>(32, processor_count() + 4);
  std::mutex mutex_;  // all that follows
  std::condition_variable work_;
  std::deque<UniqueFunction<void()>> calls_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
};

}  // namespace

// Never destroyed: see the header.
void run_lookup(UniqueFunction<void()> call) {
  static auto* pool = new BlockingPool;
  pool->run(std::move(call));
}

}  // namespace coil::detail
