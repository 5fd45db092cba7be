// The default executor of a Runner: a ThreadPoolExecutor of Coil's own, or what it was set to.
//
// Invariant: what was the default once stays until the Runner has closed: somebody may be on the
// way to it.
#include <coil/detail/atomic.hpp>
#include <coil/detail/default_executor.hpp>
#include <coil/detail/lodger.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/exception_context.hpp>
#include <coil/loop.hpp>
#include <coil/thread_pool_executor.hpp>
#include <coil/timeout.hpp>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace coil {
namespace detail {
namespace {

class DefaultExecutor final : public Lodger {
 public:
  [[nodiscard]] static DefaultExecutor& of(Loop& loop) {
    return static_cast<DefaultExecutor&>(
        lodger_of(loop, []() -> Lodger* { return new DefaultExecutor; }));
  }

  // Acquire pairs with set(): the executor is seen as it was made.
  [[nodiscard]] Executor& get() {
    if (shut_down_.load(std::memory_order_relaxed)) [[unlikely]]
      throw std::runtime_error("Executor shutdown has been called");
    Executor* const current = current_.load(std::memory_order_acquire);
    return current != nullptr ? *current : use_own();
  }
  void set(Box<HeldExecutor> held) {
    const std::lock_guard lock(mutex_);
    Executor* const next = held ? &held->executor() : own_.get();
    if (held) held_.push_back(std::move(held));
    current_.store(next, std::memory_order_release);
  }
  // Empty if there is none.
  [[nodiscard]] Future<void> shut_down() {
    const std::lock_guard lock(mutex_);
    shut_down_.store(true, std::memory_order_relaxed);
    Executor* const current = current_.load(std::memory_order_relaxed);
    return current != nullptr ? current->shutdown() : Future<void>();
  }

 private:
  Executor& use_own() {
    const std::lock_guard lock(mutex_);
    if (Executor* const current = current_.load(std::memory_order_relaxed)) return *current;
    if (!own_) own_ = Box(new ThreadPoolExecutor);
    current_.store(own_.get(), std::memory_order_release);
    return *own_;
  }

  Atomic<bool> shut_down_{false};
  Atomic<Executor*> current_{nullptr};  // null: Coil's own, which is not there yet
  std::mutex mutex_;                    // writers; the rest
  Box<ThreadPoolExecutor> own_;
  std::vector<Box<HeldExecutor>> held_;
};

void report_late(Loop& loop, TimeLimit limit) {
  const std::chrono::duration<double> seconds = limit.value();
  ExceptionContext context;
  context.message = "The executor did not finish its calls within " +
                    std::to_string(seconds.count()) + " seconds: nobody waits for them any more";
  loop.call_exception_handler(context);
}

}  // namespace

Executor& default_executor(const char* operation) {
  return DefaultExecutor::of(require_loop(operation)).get();
}

void set_default_executor(Loop& loop, Box<HeldExecutor> held) {
  DefaultExecutor::of(loop).set(std::move(held));
}

}  // namespace detail

Coro<> Loop::shutdown_default_executor(TimeLimit timeout) {
  auto ended = detail::DefaultExecutor::of(*this).shut_down();
  if (!ended.valid()) co_return;
  bool late = false;
  try {
    co_await wait_for(std::move(ended), timeout);
  } catch (const TimeoutError&) {
    late = true;
  }
  if (late) detail::report_late(*this, timeout);
}

}  // namespace coil
