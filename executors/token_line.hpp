// A line of calls that are taken by tokens: whoever holds a token takes one call, the oldest, if
// any is left.
//
//   add()                                   who was given the token
//   1. counts the token                     a. run_next(): takes the oldest call and runs it; none:
//   2. puts the call in line                   one that was in line has been removed
//   3. gives the token to somebody          b. calls()->end(): counts the token out
//
// Invariant: there are at least as many tokens under way as calls in line. So calls begin in the
// order in which they came, in whatever order the tokens do.
#pragma once

#include <coil/detail/executor_call.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/spin_lock.hpp>
#include <coil/executor.hpp>
#include <utility>

#include "call_line.hpp"
#include "open_calls.hpp"

namespace coil::detail {

// Any thread.
class TokenLine : public CallHost {
 public:
  explicit TokenLine(Ref<OpenCalls> calls) noexcept : calls_(std::move(calls)) {}

  // Throws what OpenCalls::begin() and `give_token` throw; then the work is as it was.
  template <class Give>
  void add(Work& work, Give&& give_token) {
    calls_->begin();
    const CallRef call = std::move(work).take();
    call->set_host(Ref<CallHost>(this));
    {
      const SpinGuard guard(lock_);
      line_.add(CallRef(call));
    }
    try {
      give_token();
    } catch (...) {
      calls_->end();
      if (!take(call.get())) return;  // somebody else's token was used for it
      work = Work(call, work.patient());
      throw;
    }
  }
  void run_next() noexcept;
  [[nodiscard]] const Ref<OpenCalls>& calls() const noexcept { return calls_; }
  void cancel_all() noexcept;

  void remove(ExecutorCall& call) noexcept override;

 protected:
  ~TokenLine() override = default;

 private:
  [[nodiscard]] CallRef take(ExecutorCall* call) noexcept;

  const Ref<OpenCalls> calls_;
  SpinLock lock_;
  CallLine line_;
};

}  // namespace coil::detail
