// Threads for lookups (getaddrinfo), which may hang in the system and touch nothing of the
// program's: as many as there are lookups under way, up to a cap.
//
// Invariant: nobody joins these threads. One that is idle for a while ends; all they share is never
// destroyed, and what they complete (a Future) stands on its own. So a lookup that hangs is left to
// itself when the Runner or the process ends. (The program's functions are an executor's.)
#pragma once

#include <coil/detail/unique_function.hpp>
#include <coil/future.hpp>
#include <exception>
#include <type_traits>
#include <utility>

namespace coil::detail {

// Runs the call on some thread of the process, in order as threads become free. Any thread. Throws
// std::system_error if not even one thread can be started.
void run_lookup(UniqueFunction<void()> call);

// Calls fn(), a lookup, on such a thread. Its result or exception completes the future; if that
// was cancelled meanwhile, the result is dropped, and before it began, it never does.
template <class Fn, class R = std::invoke_result_t<Fn&>>
Future<R> call_lookup(Fn fn) {
  auto future = create_future<R>();
  run_lookup([fn = std::move(fn), future]() mutable {
    if (future.done()) return;
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
