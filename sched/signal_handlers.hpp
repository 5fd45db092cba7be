// The signal handlers of a Runner (Loop::add_signal_handler).
//
//   the signal's handler, any thread        the handler's loop
//   1. Idle -> Queued (CAS); else: several  a. takes it out of the inbox
//      signals have become one              b. Queued -> Idle (CAS); else: it was removed
//   2. pushes the handler into its loop's   c. calls the function
//      inbox, wakes the loop
//
// Removing it makes the state Removed, whatever it was, after the table has let go of it
// (signal_table.hpp): b fails then, and nothing is called that had not begun. Whoever replaces a
// handler that was Queued passes the signal on to the new one. The inbox holds a reference.
#pragma once

#include <atomic>
#include <coil/detail/counted.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/runnable.hpp>
#include <coil/detail/unique_function.hpp>
#include <cstdint>
#include <map>
#include <mutex>

#include "repeated_call.hpp"
#include "signal_table.hpp"

namespace coil::detail {

class Worker;

class SignalHandler final : public Counted<SignalHandler>, public SignalReceiver, Runnable {
 public:
  SignalHandler(Worker& worker, UniqueFunction<void()> fn) noexcept;

  void signal_arrived(int signal) noexcept override;
  // Nothing is called any more. True: a signal had come.
  [[nodiscard]] bool retire() noexcept;

 private:
  enum class State : std::uint8_t { Idle, Queued, Removed };
  static void on_turn(Runnable& item) noexcept;

  Worker& worker_;
  RepeatedCall call_;
  std::atomic<State> state_{State::Idle};
};

// Any thread; the functions are called, and destroyed, under no lock of ours.
class SignalHandlers {
 public:
  // Replaces the one that is there. LoopClosed after close().
  void set(int signal, Worker& worker, UniqueFunction<void()> fn);
  // False: there was none.
  [[nodiscard]] bool remove(int signal) noexcept;
  // Removes all, and takes no more.
  void close() noexcept;
  // Who they belong to, in the table.
  explicit SignalHandlers(const void* owner) noexcept : owner_(owner) {}

 private:
  struct Entry {
    SignalClaim claim;
    Ref<SignalHandler> handler;
  };

  const void* const owner_;
  std::mutex mutex_;  // all that follows
  bool closed_ = false;
  std::map<int, Entry> entries_;
};

}  // namespace coil::detail
