#include "signal_table.hpp"

#include <atomic>
#include <cerrno>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

namespace coil::detail {
namespace {

constinit std::mutex mutex;
constinit SignalClaim* tops[NSIG] = {};  // under the mutex
constinit std::atomic<SignalReceiver*> receivers[NSIG] = {};
constinit std::atomic<int> visitors{0};

void on_signal(int signal) {
  const int saved = errno;
  visitors.fetch_add(1);
  if (SignalReceiver* receiver = receivers[signal].load()) {
    receiver->signal_arrived(signal);
  } else {
    ::raise(signal);  // blocked until we return
  }
  visitors.fetch_sub(1);
  errno = saved;
}

struct sigaction our_action() noexcept {
  struct sigaction action{};
  action.sa_handler = &on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  return action;
}

bool is_ours(const struct sigaction& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == &on_signal;
}

bool is_default(const struct sigaction& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL;
}

struct sigaction action_of(int signal) noexcept {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  return action;
}

void wait_for_visitors() noexcept {
  while (visitors.load() != 0) std::this_thread::yield();
}

}  // namespace

void SignalClaim::claim(int signal, SignalReceiver& receiver, const void* owner) {
  const std::lock_guard lock(mutex);
  receiver_ = &receiver;
  owner_ = owner;
  if (signal_ == signal && tops[signal] == this) return stay_on_top();
  if (signal_ != 0) leave_from_below();
  put_on_top(signal);
  wait_for_visitors();
}

// A signal that comes before the disposition is ours goes where it went.
void SignalClaim::put_on_top(int signal) {
  SignalReceiver* const before = receivers[signal].exchange(receiver_);
  const auto action = our_action();
  if (::sigaction(signal, &action, &before_) != 0) {
    const int error = errno;
    receivers[signal].store(before);
    throw std::system_error(error, std::system_category(),
                            "signal " + std::to_string(signal) + " cannot be handled");
  }
  signal_ = signal;
  below_ = tops[signal];
  tops[signal] = this;
}

void SignalClaim::stay_on_top() noexcept {
  receivers[signal_].store(receiver_);
  const auto now = action_of(signal_);
  if (!is_ours(now)) {
    before_ = now;
    const auto action = our_action();
    ::sigaction(signal_, &action, nullptr);
  }
  wait_for_visitors();
}

bool SignalClaim::claim_if_default(int signal, SignalReceiver& receiver, const void* owner) {
  const std::lock_guard lock(mutex);
  SignalClaim* bottom = nullptr;
  for (SignalClaim* at = tops[signal]; at != nullptr; at = at->below_) {
    if (at->owner_ != owner) return false;
    bottom = at;
  }
  if (!is_default(bottom != nullptr ? bottom->before_ : action_of(signal))) return false;
  receiver_ = &receiver;
  owner_ = owner;
  if (bottom == nullptr) {
    put_on_top(signal);
    return true;
  }
  before_ = bottom->before_;
  bottom->before_ = our_action();
  bottom->below_ = this;
  signal_ = signal;
  return true;
}

void SignalClaim::leave_from_below() noexcept {
  SignalClaim* above = tops[signal_];
  while (above->below_ != this) above = above->below_;
  above->below_ = below_;
  if (is_ours(above->before_)) above->before_ = before_;
}

void SignalClaim::release() noexcept {
  if (signal_ == 0) return;
  const std::lock_guard lock(mutex);
  if (tops[signal_] == this) {
    if (is_ours(action_of(signal_))) ::sigaction(signal_, &before_, nullptr);
    tops[signal_] = below_;
    receivers[signal_].store(below_ != nullptr ? below_->receiver_ : nullptr);
  } else {
    leave_from_below();
  }
  signal_ = 0;
  wait_for_visitors();
}

}  // namespace coil::detail
