#include "thread_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <coil/channel_errors.hpp>
#include <coil/detail/processors.hpp>
#include <coil/detail/spin_lock.hpp>
#include <coil/loop.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace coil::detail {
namespace {

constexpr auto idle_max = std::chrono::seconds(10);
constexpr auto look_max = std::chrono::microseconds(30);
// Looks that found nothing: from so many on, only each so-manieth time.
constexpr unsigned fruitless_max = 16;

std::size_t max_of(int asked) {
  if (asked < 0)
    throw std::invalid_argument("ThreadPoolExecutor: max_workers must not be negative, not " +
                                std::to_string(asked));
  // As asyncio's default executor.
  if (asked == 0) return std::min<std::size_t>(32, processor_count() + 4);
  return static_cast<std::size_t>(asked);
}

}  // namespace

ThreadPool::ThreadPool(ThreadPoolOptions options)
    : options_(std::move(options)), threads_max_(max_of(options_.max_workers)) {
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
  if (threads_ == 0) start_thread(lock);  // it may fail, and then there is nobody to run the call
  CallRef call = std::move(work).take();
  call->set_host(Ref<CallHost>(this));
  line_.add(std::move(call));
  line_size_.store(line_.size(), std::memory_order_relaxed);
  if (searching_ == 0) raise(lock);
}

// A failure to start one more thread is none as long as there are others.
void ThreadPool::raise(Lock& lock) {
  if (asleep_ > raised_) {
    ++raised_;
    ++searching_;
    raised_changed_.notify_one();
  } else if (threads_ < threads_max_) {
    try {
      start_thread(lock);
    } catch (const std::system_error&) {
      return;
    }
  }
}

void ThreadPool::start_thread(Lock& lock) {
  ++threads_;
  ++searching_;
  const std::size_t number = started_++;
  try {
    handles_.emplace_back();
    handles_.back() = std::thread([pool = Ref(this), number] { pool->serve(number); });
  } catch (...) {
    handles_.pop_back();
    --threads_;
    --searching_;
    throw;
  }
  (void)lock;  // held: the thread's handle is there before the thread looks for it
}

void ThreadPool::name_thread(std::size_t number) const noexcept {
  constexpr std::size_t name_max = 15;  // the kernel's
  char digits[24];
  const auto length = static_cast<std::size_t>(
      std::snprintf(digits, sizeof digits, "-%zu", number));  // NOLINT(cert-err33-c): it fits
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

bool ThreadPool::initialize(Lock& lock) noexcept {
  if (!options_.initializer) return true;
  lock.unlock();
  try {
    options_.initializer();
    lock.lock();
    return true;
  } catch (...) {
    ExceptionContext context;
    context.message = "exception of the initializer of a ThreadPoolExecutor";
    context.exception = std::current_exception();
    ReportLink().report(context);
  }
  lock.lock();
  break_down(lock);
  --searching_;
  return false;
}

void ThreadPool::break_down(Lock& lock) noexcept {
  broken_ = true;
  CallLine left;
  while (CallRef call = line_.take()) left.add(std::move(call));
  line_size_.store(0, std::memory_order_relaxed);
  room_.notify_all();
  lock.unlock();
  while (const CallRef call = left.take())
    call->fail(std::make_exception_ptr(
        BrokenThreadPool("an initializer of the thread pool has failed")));
  lock.lock();
}

// Searching; in the end not any more, and the line is empty.
void ThreadPool::run_calls(Lock& lock) noexcept {
  do {
    while (CallRef call = line_.take()) {
      line_size_.store(line_.size(), std::memory_order_relaxed);
      --searching_;
      ++busy_;
      if (!line_.empty() && searching_ == 0) raise(lock);
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
  if (fruitless_ >= fruitless_max && ++fruitless_ % fruitless_max != 0) return false;
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
  const auto until = std::chrono::steady_clock::now() + idle_max;
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
  const bool last = closing_ && threads_ == 0;
  std::thread before;
  if (!closing_) {
    const auto self = std::find_if(handles_.begin(), handles_.end(), [](const std::thread& thread) {
      return thread.get_id() == std::this_thread::get_id();
    });
    before = std::exchange(ended_, std::move(*self));
    handles_.erase(self);
  }
  lock.unlock();
  if (before.joinable()) before.join();  // it has come as far as this
  if (last) closed_.try_set_result();
}

Future<void> ThreadPool::close(ShutdownOptions options) {
  CallLine cancelled;
  bool gone = false;
  {
    const Lock lock(mutex_);
    closing_ = true;
    if (options.cancel_futures) {
      while (CallRef call = line_.take()) cancelled.add(std::move(call));
      line_size_.store(0, std::memory_order_relaxed);
    }
    raised_changed_.notify_all();
    room_.notify_all();
    gone = threads_ == 0;
  }
  while (const CallRef call = cancelled.take()) call->future().cancel("the executor was shut down");
  if (gone) closed_.try_set_result();
  if (options.wait) return shielded(closed_);
  auto now = create_future<void>();
  now.set_result();
  return now;
}

void ThreadPool::join() noexcept {
  std::vector<std::thread> threads;
  {
    const Lock lock(mutex_);
    threads.swap(handles_);
    if (ended_.joinable()) threads.push_back(std::move(ended_));
  }
  for (auto& thread : threads) {
    // The pool's last owner may be a function that it runs.
    if (thread.get_id() == std::this_thread::get_id()) {
      thread.detach();
    } else {
      thread.join();
    }
  }
}

void ThreadPool::remove(ExecutorCall& call) noexcept {
  CallRef removed;
  const Lock lock(mutex_);
  removed = line_.remove(call);
  line_size_.store(line_.size(), std::memory_order_relaxed);
  if (waiting_for_room_ != 0) room_.notify_one();
}

}  // namespace coil::detail
