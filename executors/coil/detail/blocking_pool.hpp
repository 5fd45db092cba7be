// Threads for calls that block (getaddrinfo): as many as there are calls under way, up to a cap.
//
// Invariant: nobody waits for these threads. One that is idle for a while ends; one that hangs in
// a call is left to it, also when the Runner or the process ends, so all they share is never
// destroyed, and what they complete (a Future) stands on its own.
#pragma once

#include <coil/detail/unique_function.hpp>
#include <coil/future.hpp>
#include <exception>
#include <type_traits>
#include <utility>

namespace coil::detail {

// Runs the call on some thread of the process-wide pool, in order as threads become free. Any
// thread. Throws std::system_error if not even one thread can be started.
void run_blocking(UniqueFunction<void()> call);

// Calls fn() on such a thread. Its result or exception completes the future; if that was cancelled
// meanwhile, the result is dropped.
template <class Fn, class R = std::invoke_result_t<Fn&>>
Future<R> call_blocking(Fn fn) {
  auto future = create_future<R>();
  run_blocking([fn = std::move(fn), future]() mutable {
    try {
      if constexpr (std::is_void_v<R>) {
        fn();
        future.try_set_result();
      } else {
        future.try_set_result(fn());
      }
    } catch (...) {
      future.try_set_exception(std::current_exception());
    }
  });
  return future;
}

}  // namespace coil::detail
