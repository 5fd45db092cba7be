// ProcessPoolExecutor: processes for functions that may crash, leak or must be kept apart
// (concurrent.futures.ProcessPoolExecutor).
#pragma once

#include <coil/detail/ref.hpp>
#include <coil/executor.hpp>
#include <coil/executor_errors.hpp>
#include <coil/future.hpp>
#include <coil/remote_error.hpp>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace coil {

namespace detail {

class ProcessPool;

template <class Fn>
concept PlainFunction = std::convertible_to<Fn, void (*)()>;

template <auto fn, class... Args>
constexpr void check_remote() {
  check_submitted<Constant<fn>, Args...>();
  check_travels<CallResult<Constant<fn>, Args...>, KeptArgument<Args>...>(traveling<fn, Args...>());
}

}  // namespace detail

// What each worker calls before its first call: a function without arguments as it is, one with
// arguments by process_initializer<&fn>(args...).
class ProcessInitializer {
 public:
  ProcessInitializer() noexcept = default;
  template <detail::PlainFunction Fn>
  ProcessInitializer(Fn fn)  // NOLINT(google-explicit-constructor): `.initializer = &fn`
      : kind_(Kind::Plain),
        place_(detail::place_of(reinterpret_cast<const void*>(static_cast<void (*)()>(fn)))) {}

 private:
  friend class detail::ProcessPool;
  template <auto fn, class... Args>
  friend ProcessInitializer process_initializer(Args... args);
  enum class Kind : std::uint32_t { None, Plain, Packed };

  template <auto fn, class... Ts, class... Args>
  void pack(detail::TypeList<Ts...>, Args&... args) {
    kind_ = Kind::Packed;
    place_ = detail::place_of_packed<fn, void, Ts...>();
    (detail::Pack<Ts>::write(arguments_, static_cast<Ts>(std::move(args))), ...);
  }

  Kind kind_ = Kind::None;
  detail::FunctionPlace place_;
  detail::Packer arguments_;
};

// `.initializer = process_initializer<&fn>(args...)`; the arguments go as those of submit<&fn>.
template <auto fn, class... Args>
[[nodiscard]] ProcessInitializer process_initializer(Args... args) {
  detail::check_travels<void, Args...>(detail::traveling<fn, Args...>());
  ProcessInitializer initializer;
  initializer.pack<fn>(detail::traveling<fn, Args...>(), args...);
  return initializer;
}

struct ProcessPoolOptions {
  int max_workers = 0;  // processes; 0: as many as there are processors
  // One that throws breaks the pool: what waits and what is submitted later fails with
  // BrokenProcessPool, which says what it has thrown.
  ProcessInitializer initializer = {};
  std::size_t max_tasks_per_child = 0;  // a worker is replaced after so many calls; 0: never
};

// A worker is the program's executable started anew (posix_spawn, never a fork). It initialises the
// program's global objects, and in place of main() serves calls; it has the pool's environment,
// standard streams and no other descriptor, and ends when the pool's process does. Workers are
// started as calls need them, one call at a time each, and kept.
//
// submit<&fn>(args...): fn is a function, a member function or a lambda without captures. Its
// arguments are converted to its parameter types and copied to the worker on the calling thread,
// before submit returns. What can go: numbers, enums, text, std::vector and other containers,
// array, pair, tuple, optional, variant, classes whose copy is a copy of their bytes, and those
// with cereal's `serialize` (see detail/pack_class.hpp; <coil/cereal.hpp> for all that cereal can).
// Elements above 64 KiB go through shared memory; a parameter `std::span<const T>` sees them there,
// until the function returns. What a parameter refers to is a copy, so it must be const.
//
// An exception comes back as RemoteError. A worker that dies (a crash, exit(), a signal) fails the
// call that it was in, and no other, with BrokenProcessPool, which says how it ended; it is
// replaced. No call is made twice. BrokenProcessPool for all calls, from then on: the initializer
// has thrown, or workers cannot be started. What else is thrown, see Executor; from submit also
// what the arguments' own code throws when they are packed, and std::system_error without memory
// to share.
//
// A cancelled future's call is not made if it has not begun; one that has runs on, and its result
// is dropped. Workers take no notice of SIGINT. What they print is flushed after each call.
// Under Backend::sim the function is called in this process.
class ProcessPoolExecutor final : public Executor {
 public:
  // submit(fn, ...) does not compile: an address means nothing in another process.
  static constexpr bool constant_functions_only = true;

  // Throws std::invalid_argument for a negative number of workers.
  explicit ProcessPoolExecutor(ProcessPoolOptions options = {});
  // As shutdown(), and waits: on a loop `co_await pool.shutdown()` first, or nothing else runs on
  // that loop until the last call has ended.
  ~ProcessPoolExecutor() override;

  template <auto fn, class... Args>
  auto submit(Args... args) {
    detail::check_remote<fn, Args...>();
    return Executor::submit<fn>(std::move(args)...);
  }
  template <class Fn, class... Args>
  Future<detail::CallResult<Fn, Args...>> submit(Fn fn, Args... args) {
    static_assert(detail::never_true<Fn>,
                  "a ProcessPoolExecutor takes functions that are known when this is compiled: use "
                  "submit<&fn>(args...)");
    return Executor::submit(std::move(fn), std::move(args)...);
  }

  template <auto fn, class Range>
  auto map(Range&& range, MapOptions options = {}) {
    using Element = std::remove_cvref_t<decltype(*std::begin(range))>;
    detail::check_remote<fn, Element>();
    return Executor::map<fn>(std::forward<Range>(range), options);
  }
  template <class Fn, class Range>
  auto map(Fn fn, Range&& range, MapOptions options = {}) {
    static_assert(detail::never_true<Fn>,
                  "a ProcessPoolExecutor takes functions that are known when this is compiled: use "
                  "map<&fn>(range)");
    return Executor::map(std::move(fn), std::forward<Range>(range), options);
  }

  // Ends the workers at once, by SIGKILL or SIGTERM (which a function may have handled), and shuts
  // the pool down: calls that have not ended fail with BrokenProcessPool
  // (ProcessPoolExecutor.kill_workers, .terminate_workers). Any thread.
  void kill_workers();
  void terminate_workers();

  // For Coil's own use: run_in_executor's errors of the compiler.
  template <auto fn, class... Args>
  static constexpr void check_constant() {
    detail::check_remote<fn, Args...>();
  }

 private:
  void execute(Work& work) override;
  Future<void> close(ShutdownOptions options) override;

  detail::Ref<detail::ProcessPool> pool_;
};

}  // namespace coil
