#include "token_line.hpp"

namespace coil::detail {

// Null: the oldest.
CallRef TokenLine::take(ExecutorCall* call) noexcept {
  const SpinGuard guard(lock_);
  return call != nullptr ? line_.remove(*call) : line_.take();
}

void TokenLine::run_next() noexcept {
  if (const CallRef call = take(nullptr)) call->run();
}

void TokenLine::remove(ExecutorCall& call) noexcept { (void)take(&call); }

void TokenLine::cancel_all() noexcept {
  lock_.lock();
  CallChain chain = line_.take_all();
  lock_.unlock();
  while (const CallRef call = chain.take()) call->future().cancel("the executor was shut down");
}

}  // namespace coil::detail
