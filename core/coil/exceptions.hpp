// The exceptions of asyncio and Trio that are no ExceptionGroup.
//
// Invariant: CancelledError, KeyboardInterrupt, TerminationRequest and GeneratorExit are no
// std::exception, as their namesakes are no Exception in Python: `catch (const std::exception&)`
// never swallows them.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace coil {

namespace detail {
enum class CancelOrigin : unsigned char { Edge, Level };
struct CancelledErrorAccess;
}  // namespace detail

// Thrown at the suspension of a task that was cancelled (asyncio.CancelledError, trio.Cancelled).
// what() is the text given to Task::cancel or CancelScope::cancel.
class CancelledError final {
 public:
  CancelledError() = default;
  explicit CancelledError(std::string_view message) : message_(message) {}
  [[nodiscard]] const char* what() const noexcept { return message_.c_str(); }

 private:
  friend struct detail::CancelledErrorAccess;
  std::string message_;
  // Level: thrown for a CancelScope, which may catch it. Edge: only its task's end does.
  detail::CancelOrigin origin_ = detail::CancelOrigin::Edge;
};

// SIGINT arrived while run() was running (Python's KeyboardInterrupt).
class KeyboardInterrupt final {
 public:
  [[nodiscard]] const char* what() const noexcept { return "interrupted by SIGINT"; }
};

// SIGTERM arrived while run() was running with RunOptions::sigterm; uncaught, it ends the program
// by SIGTERM.
class TerminationRequest final {
 public:
  [[nodiscard]] const char* what() const noexcept { return "terminated by SIGTERM"; }
};

// Thrown at the pending co_yield of an AsyncGenerator that is closed (Python's GeneratorExit).
class GeneratorExit final {
 public:
  [[nodiscard]] const char* what() const noexcept { return "generator closed"; }
};

// A time limit was reached (Python's TimeoutError).
class TimeoutError : public std::runtime_error {
 public:
  TimeoutError() : std::runtime_error("timed out") {}
  explicit TimeoutError(const std::string& what) : std::runtime_error(what) {}
};

// An operation does not fit the state of a future or task (asyncio.InvalidStateError).
class InvalidStateError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What a future gets whose Promise was dropped unset.
class BrokenPromise : public std::runtime_error {
 public:
  BrokenPromise() : std::runtime_error("the promise was dropped before it was fulfilled") {}
};

// There is no running loop on this thread.
class NoRunningLoop : public std::runtime_error {
 public:
  explicit NoRunningLoop(std::string_view what)
      : std::runtime_error(std::string(what) +
                           ": no running event loop on this thread; call it from a coroutine or "
                           "callback inside coil::run(), or use a _threadsafe function") {}
};

// The loop has been closed and takes nothing any more.
class LoopClosed : public std::runtime_error {
 public:
  explicit LoopClosed(std::string_view what)
      : std::runtime_error(std::string(what) + ": the event loop is closed") {}
};

namespace detail {

struct CancelledErrorAccess {
  [[nodiscard]] static CancelledError make(std::string_view message, CancelOrigin origin) {
    CancelledError error(message);
    error.origin_ = origin;
    return error;
  }
  [[nodiscard]] static CancelOrigin origin(const CancelledError& error) { return error.origin_; }
  static void forget_origin(CancelledError& error) { error.origin_ = CancelOrigin::Edge; }
};

// The exact type of what `error` holds, without throwing it.
[[nodiscard]] bool is_cancelled_error(const std::exception_ptr& error) noexcept;
// The object that such an `error` holds.
[[nodiscard]] CancelledError& held_cancelled_error(const std::exception_ptr& error) noexcept;
// A CancelledError that was thrown for a CancelScope.
[[nodiscard]] bool is_level_cancelled_error(const std::exception_ptr& error) noexcept;
// A scope's cancellation that ended a task is, for those who await the task, just a cancellation.
// Only before the error is shared.
void forget_cancel_origin(const std::exception_ptr& error) noexcept;
[[nodiscard]] bool is_generator_exit(const std::exception_ptr& error) noexcept;
[[nodiscard]] bool is_termination_request(const std::exception_ptr& error) noexcept;
// KeyboardInterrupt or TerminationRequest: goes through groups unwrapped, as in asyncio.
[[nodiscard]] bool is_base_error(const std::exception_ptr& error) noexcept;
// The thrown object itself, to tell whether two pointers mean the same one.
[[nodiscard]] const void* thrown_object(const std::exception_ptr& error) noexcept;
// Its type_info, by address.
[[nodiscard]] const void* thrown_type(const std::exception_ptr& error) noexcept;
// One line for a person: "std::runtime_error: text".
[[nodiscard]] std::string describe(const std::exception_ptr& error);

}  // namespace detail
}  // namespace coil
