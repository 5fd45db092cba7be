#include "thread_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <coil/channel_errors.hpp>
#include <coil/detail/atomic.hpp>
#include <coil/detail/processors.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/exception_context.hpp>
#include <coil/loop.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace coil::detail {
namespace {

constexpr auto look_max = std::chrono::microseconds(30);
// Looks that found nothing: from so many on, only each so-manieth time.
constexpr unsigned fruitless_max = 16;

std::size_t max_of(int asked) {
  if (asked < 0)
    throw std::invalid_argument("ThreadPoolExecutor: max_workers must not be negative, but is " +
                                std::to_string(asked));
  // As asyncio's default executor.
  if (asked == 0) return std::min<std::size_t>(32, processor_count() + 4);
  return static_cast<std::size_t>(asked);
}

}  // namespace

ThreadPool::ThreadPool(ThreadPoolOptions options, Duration idle_max)
    : options_(std::move(options)),
      threads_max_(max_of(options_.max_workers)),
      idle_max_(idle_max) {
  if (options_.thread_name_prefix.empty()) options_.thread_name_prefix = "coil-thread";
}

void ThreadPool::check_open() const {
  if (broken_) throw BrokenThreadPool("submit: an initializer of the thread pool has failed");
  if (closing_) throw std::runtime_error("submit: cannot schedule new futures after shutdown");
}

bool ThreadPool::full() const noexcept {
  return options_.max_queue != 0 && line_.size() >= options_.max_queue + (threads_max_ - busy_);
}

void ThreadPool::wait_for_room(Lock& lock) {
  if (get_running_loop_or_null() != nullptr)
    throw QueueFull("submit: " + std::to_string(options_.max_queue) +
                    " calls wait for a thread of the pool already (max_queue); co_await "
                    "run_in_executor waits for room");
  ++waiting_for_room_;
  room_.wait(lock, [this] { return !full() || closing_ || broken_; });
  --waiting_for_room_;
  check_open();
}

void ThreadPool::execute(Work& work) {
  Lock lock(mutex_);
  check_open();
  if (!work.patient() && full()) wait_for_room(lock);
  if (threads_ == 0) start_thread();  // it may fail, and then there is nobody to run the call
  CallRef call = std::move(work).take();
  call->set_host(Ref<CallHost>(this));
  line_.add(std::move(call));
  line_size_.store(line_.size(), std::memory_order_relaxed);
  raise_if_needed();
}

// A failure to start one more thread is none as long as there are others.
void ThreadPool::raise_if_needed() noexcept {
  if (searching_ != 0 || line_.empty()) return;
  if (asleep_ > raised_) {
    ++raised_;
    ++searching_;
    raised_changed_.notify_one();
  } else if (threads_ < threads_max_ && line_.size() > initializing_) {
    try {
      start_thread();
    } catch (...) {
      return;
    }
  }
}

// Under the lock: the thread's handle is there before the thread looks for it.
void ThreadPool::start_thread() try {
  const std::size_t number = started_;
  handles_.reserve(handles_.size() + 1);
  std::thread thread([pool = Ref(this), number] { pool->serve(number); });
  if (detached_) {
    thread.detach();
  } else {
    handles_.push_back(std::move(thread));
  }
  ++started_;
  ++threads_;
  ++searching_;
} catch (const std::system_error& error) {
  throw std::system_error(error.code(),
                          "ThreadPoolExecutor: no thread can be started (raise the limit on "
                          "processes or memory, see ulimit -a)");
}

CallRef ThreadPool::take() noexcept {
  CallRef call = line_.take();
  line_size_.store(line_.size(), std::memory_order_relaxed);
  return call;
}

CallChain ThreadPool::take_all() noexcept {
  line_size_.store(0, std::memory_order_relaxed);
  return line_.take_all();
}

void ThreadPool::name_thread(std::size_t number) const noexcept {
  constexpr std::size_t name_max = 15;  // the kernel's
  char digits[24];
  const auto length =
      static_cast<std::size_t>(std::snprintf(digits, sizeof digits, "-%zu", number));
  std::string name = options_.thread_name_prefix.substr(0, name_max - std::min(length, name_max));
  pthread_setname_np(pthread_self(), (name + digits).c_str());
}

void ThreadPool::serve(std::size_t number) noexcept {
  name_thread(number);
  unbind_thread();
  Lock lock(mutex_);
  if (initialize(lock)) {
    do {
      run_calls(lock);
    } while (!closing_ && sleep(lock));
  }
  leave(lock);
}

namespace {

void fail_all(CallChain& calls, const std::exception_ptr& error) {
  ExceptionContext context;
  context.message = "exception of the initializer of a ThreadPoolExecutor";
  context.exception = error;
  const auto failure = std::make_exception_ptr(
      BrokenThreadPool("an initializer of the thread pool has failed, so the call was not made"));
  CallRef call = calls.take();
  if (call) {
    call->report_link().report(context);
  } else {
    report(context);
  }
  for (; call; call = calls.take()) call->fail(failure);
}

}  // namespace

// While it goes on the thread cannot take a call: others are raised for those that wait beside the
// one that will be its own.
bool ThreadPool::initialize(Lock& lock) noexcept {
  if (!options_.initializer) return true;
  --searching_;
  ++initializing_;
  raise_if_needed();
  lock.unlock();
  const std::exception_ptr error = call_initializer();
  lock.lock();
  --initializing_;
  if (error) {
    break_down(lock, error);
    return false;
  }
  ++searching_;
  return true;
}

std::exception_ptr ThreadPool::call_initializer() noexcept try {
  options_.initializer();
  return {};
} catch (...) {
  return std::current_exception();
}

void ThreadPool::break_down(Lock& lock, const std::exception_ptr& error) noexcept {
  broken_ = true;
  room_.notify_all();
  CallChain left = take_all();
  lock.unlock();
  fail_all(left, error);
  lock.lock();
}

// Searching; in the end not any more, and the line is empty.
void ThreadPool::run_calls(Lock& lock) noexcept {
  do {
    while (CallRef call = take()) {
      --searching_;
      ++busy_;
      raise_if_needed();
      lock.unlock();
      call->run();
      call = {};
      lock.lock();
      --busy_;
      ++searching_;
      if (waiting_for_room_ != 0) room_.notify_one();
    }
  } while (!closing_ && look_for_more(lock));
  --searching_;
}

// One thread at a time, and less and less often if it finds nothing.
bool ThreadPool::look_for_more(Lock& lock) noexcept {
  if (searching_ > 1 || processor_count() == 1) return false;
  if (fruitless_ >= fruitless_max) {
    ++fruitless_;
    if (fruitless_ % fruitless_max != 0) return false;
  }
  lock.unlock();
  const auto until = std::chrono::steady_clock::now() + look_max;
  while (line_size_.load(std::memory_order_relaxed) == 0) {
    for (int i = 0; i < 16; ++i) spin_pause();
    if (std::chrono::steady_clock::now() >= until) break;
  }
  lock.lock();
  if (line_.empty()) {
    ++fruitless_;
    return false;
  }
  fruitless_ = 0;
  return true;
}

// True: searching again.
bool ThreadPool::sleep(Lock& lock) {
  const auto until = std::chrono::steady_clock::now() + idle_max_;
  ++asleep_;
  while (raised_ == 0 && !closing_ &&
         raised_changed_.wait_until(lock, until) != std::cv_status::timeout) {
  }
  --asleep_;
  if (raised_ != 0) {
    --raised_;
    return true;
  }
  if (!closing_) return false;
  ++searching_;
  return true;
}

void ThreadPool::leave(Lock& lock) noexcept {
  --threads_;
  std::vector<Future<void>> done;
  std::thread before;
  if (closing_) {
    if (threads_ == 0) done.swap(waiting_);
  } else {
    const auto self = std::find_if(handles_.begin(), handles_.end(), [](const std::thread& thread) {
      return thread.get_id() == std::this_thread::get_id();
    });
    before = std::exchange(ended_, std::move(*self));
    handles_.erase(self);
  }
  lock.unlock();
  if (before.joinable()) before.join();  // it has come as far as this
  for (const auto& future : done) future.try_set_result();
}

void ThreadPool::close_calls(bool cancel) noexcept {
  Lock lock(mutex_);
  closing_ = true;
  raised_changed_.notify_all();
  room_.notify_all();
  if (!cancel) return;
  CallChain left = take_all();
  lock.unlock();
  while (const CallRef call = left.take()) call->future().cancel("the executor was shut down");
}

Future<void> ThreadPool::close(ShutdownOptions options) {
  auto ended = create_future<void>();
  close_calls(options.cancel_futures);
  const Lock lock(mutex_);
  if (threads_ == 0 || !options.wait) {
    ended.set_result();
  } else {
    waiting_.push_back(ended);
  }
  return ended;
}

// A thread that is joined may have started others. Our last owner may be a function that we run:
// its thread goes on after it, takes what is left, and ends by itself.
void ThreadPool::join() noexcept {
  for (;;) {
    std::vector<std::thread> threads;
    {
      const Lock lock(mutex_);
      threads.swap(handles_);
      if (ended_.joinable()) handles_.push_back(std::move(ended_));  // for the next round
      if (threads.empty() && handles_.empty()) return;
    }
    for (auto& thread : threads) {
      if (thread.get_id() == std::this_thread::get_id()) {
        const Lock lock(mutex_);
        detached_ = true;
        thread.detach();
      } else {
        thread.join();
      }
    }
  }
}

void ThreadPool::remove(ExecutorCall& call) noexcept {
  CallRef removed;
  const Lock lock(mutex_);
  removed = line_.remove(call);
  line_size_.store(line_.size(), std::memory_order_relaxed);
  if (removed && waiting_for_room_ != 0) room_.notify_one();
}

}  // namespace coil::detail
