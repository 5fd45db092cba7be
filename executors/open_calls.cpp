#include "open_calls.hpp"

#include <stdexcept>
#include <utility>

namespace coil::detail {

void OpenCalls::begin() {
  const std::lock_guard lock(mutex_);
  if (closed_) throw std::runtime_error("submit: cannot schedule new futures after shutdown");
  ++count_;
}

// A waiter may let the executor go; the caller holds a reference.
void OpenCalls::end() noexcept {
  std::vector<Future<void>> done;
  {
    const std::lock_guard lock(mutex_);
    if (--count_ != 0 || !closed_) return;
    done.swap(waiting_);
    none_left_.notify_all();
  }
  for (const auto& future : done) future.try_set_result();
}

Future<void> OpenCalls::close() {
  auto future = create_future<void>();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  if (count_ == 0) {
    future.set_result();
  } else {
    waiting_.push_back(future);
  }
  return future;
}

void OpenCalls::wait() noexcept {
  std::unique_lock lock(mutex_);
  none_left_.wait(lock, [this] { return count_ == 0; });
}

}  // namespace coil::detail
