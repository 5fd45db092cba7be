// Who gets which signal: one table for the process, since dispositions are the process's.
//
// The claims to one signal lie on each other, and the topmost gets it. Each keeps the disposition
// that it replaced, so that whoever goes, in whatever order, leaves things as if it had never been
// there: the top one restores its own, another hands it to the claim above. What somebody else has
// installed meanwhile is left alone.
//
//   the handler, on whichever thread         whoever changes the top, under the mutex
//   1. counts itself as a visitor            a. changes the disposition (one that goes restores it)
//   2. reads the receiver, and tells it;     b. changes the receiver (one that comes: before a)
//      without one raises the signal again,  c. waits until there is no visitor
//      for the disposition that a restored
//   3. counts itself out: its last touch
//
// All seq_cst: a visitor for whom c does not wait reads the receiver after b. Nobody blocks a
// signal for this, so threads that are older than the claim, and children, need know nothing of it.
// Kept by tests/sched/signal_handler_test.cpp.
#pragma once

#include <signal.h>

namespace coil::detail {

class SignalReceiver {
 public:
  // On any thread, in the signal's handler: must be async-signal-safe.
  virtual void signal_arrived(int signal) noexcept = 0;

 protected:
  ~SignalReceiver() = default;
};

class SignalClaim {
 public:
  SignalClaim() noexcept = default;
  ~SignalClaim() { release(); }
  SignalClaim(const SignalClaim&) = delete;
  SignalClaim& operator=(const SignalClaim&) = delete;

  // Lies on top from now on, also if it was claimed before; then from the return on nobody tells
  // the receiver that it had. Throws std::system_error for a signal that cannot be handled.
  void claim(int signal, SignalReceiver& receiver, const void* owner);
  // Lies below the owner's other claims, if nobody else handles the signal; else false.
  [[nodiscard]] bool claim_if_default(int signal, SignalReceiver& receiver, const void* owner);
  // From the return on nobody tells the receiver.
  void release() noexcept;

 private:
  void put_on_top(int signal);
  void stay_on_top() noexcept;
  void leave_from_below() noexcept;

  SignalReceiver* receiver_ = nullptr;
  const void* owner_ = nullptr;
  int signal_ = 0;  // 0: not claimed
  SignalClaim* below_ = nullptr;
  struct sigaction before_{};
};

}  // namespace coil::detail
