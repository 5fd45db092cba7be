#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <coil/detail/blocking_pool.hpp>
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
  // Never destroyed: see the header.
  static BlockingPool& instance() {
    static auto* pool = new BlockingPool;
    return *pool;
  }

  void run(UniqueFunction<void()> call) {
    std::unique_lock lock(mutex_);
    calls_.push_back(std::move(call));
    if (idle_ >= calls_.size() || threads_ == threads_max()) {
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
  // asyncio's default executor has the same bound.
  static std::size_t threads_max() {
    return std::min<std::size_t>(32, std::thread::hardware_concurrency() + 4);
  }

  // Signals are for the program's own threads.
  void start_thread() {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([this] { serve(); }).detach();
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void serve() {
    pthread_setname_np(pthread_self(), "coil-blocking");
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

  std::mutex mutex_;  // all that follows
  std::condition_variable work_;
  std::deque<UniqueFunction<void()>> calls_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
};

}  // namespace

void run_blocking(UniqueFunction<void()> call) { BlockingPool::instance().run(std::move(call)); }

}  // namespace coil::detail
