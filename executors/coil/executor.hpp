// Executor: where functions that would hold a loop run (concurrent.futures.Executor).
#pragma once

#include <coil/async_generator.hpp>
#include <coil/coro.hpp>
#include <coil/detail/atomic.hpp>
#include <coil/detail/executor_call.hpp>
#include <coil/detail/remote_call.hpp>
#include <coil/future.hpp>
#include <coil/time.hpp>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace coil {

// What Executor::shutdown() is to do (concurrent.futures.Executor.shutdown).
struct ShutdownOptions {
  bool wait = true;             // the future is done once every call has ended, else at once
  bool cancel_futures = false;  // cancel the calls that have not begun
};

struct MapOptions {
  TimeLimit timeout = {};     // from the call of map() to each result; TimeoutError
  std::size_t chunksize = 1;  // so many elements are one call
};

// A call that an executor of one's own has been given. Move-only; not thread-safe, but may be
// called on another thread than the one it was given to. Called, once, it runs the function and
// completes its future, and throws nothing; dropped uncalled, it cancels the future. Once that has
// been cancelled, calling it does nothing.
class Work {
 public:
  Work(Work&&) noexcept = default;
  Work& operator=(Work&& other) noexcept {
    std::swap(call_, other.call_);
    std::swap(patient_, other.patient_);
    return *this;
  }
  ~Work() {
    if (call_) call_->future().cancel("its executor dropped the call");
  }
  void operator()() noexcept { detail::CallRef(std::move(call_))->run(); }
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(call_); }
  // Somebody awaits it who may wait for room as well: it is never refused with QueueFull.
  [[nodiscard]] bool patient() const noexcept { return patient_; }

  // For Coil's own use.
  Work(detail::CallRef call, bool patient) noexcept : call_(std::move(call)), patient_(patient) {}
  [[nodiscard]] detail::CallRef take() && noexcept { return std::move(call_); }

 private:
  detail::CallRef call_;
  bool patient_;
};

namespace detail {

// `fn` as an object without state.
template <auto fn>
struct Constant {
  template <class... Args>
  decltype(auto) operator()(Args&&... args) const {
    auto target = fn;
    return invoke(target, std::forward<Args>(args)...);
  }
};

template <class Fn, class... Args>
using CallResult = KeptResult<std::invoke_result_t<Fn&, Args&&...>>;

template <class Fn, class... Args>
concept Submittable = std::is_invocable_v<Fn&, Args&&...>;

template <class Fn, class... Args>
constexpr void check_submitted() {
  static_assert(!is_coro<std::remove_cvref_t<std::invoke_result_t<Fn&, Args&&...>>>,
                "an executor calls functions, not coroutines: co_await that, or create_task it");
}

struct ExecutorAccess;
class SimulatedCalls;

// `what` on a loop, else null: then nobody waits for the call but who has its future.
[[nodiscard]] const char* held_here(const char* what) noexcept;

}  // namespace detail

// The base of all executors, and of those of one's own, which implement execute() and close().
// Every member may be called from any thread, at the same time as any other.
//
// Function and arguments are copied or moved when a call is submitted (text that comes as a view
// is copied too; std::ref passes a reference) and are gone before its future is done. Cancelling
// the future takes a call that has not begun out of line, at once; one that runs goes on to its
// end, its result is dropped, and an exception goes to the exception handler. (In
// concurrent.futures cancel() of a call that runs gives false; here the await ends.)
//
// Under Backend::sim calls are made on the loop's own thread, in order, as if that were no loop.
class Executor {
 public:
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor();

  // Calls fn(args...) some time soon, somewhere else (concurrent.futures.Executor.submit). Throws
  // std::runtime_error after shutdown(). Where the executor has a max_queue and so many wait:
  // blocks a thread that is no loop, throws QueueFull on a loop. A Runner does not wait for the
  // call before it closes, as it does for those of run_in_executor.
  template <class Fn, class... Args>
    requires detail::Submittable<Fn, Args...>
  auto submit(Fn fn, Args... args) {
    return start_function(nullptr, false, std::move(fn), std::move(args)...);
  }
  // The same for a function that is known when this is compiled: submit<&fn>(args...). What a
  // ProcessPoolExecutor takes.
  template <auto fn, class... Args>
  auto submit(Args... args) {
    return start_constant<fn>(nullptr, false, std::move(args)...);
  }

  // fn of each element, at the same time; the results come in the order of the elements
  // (concurrent.futures.Executor.map). All of it is submitted now, however full the queue is, with
  // a copy of fn for each chunk; the rest is cancelled when an element fails (its exception is
  // thrown), when the time is over (TimeoutError), or when the generator is closed. Throws
  // std::invalid_argument for a chunksize of 0.
  template <class Fn, class Range>
  auto map(Fn fn, Range&& range, MapOptions options = {});
  template <auto fn, class Range>
  auto map(Range&& range, MapOptions options = {});

  // Takes no more calls; what it has is called still, or cancelled if not begun
  // (concurrent.futures.Executor.shutdown). Every call of it gives a future of its own, which may
  // be cancelled without harm.
  Future<void> shutdown(ShutdownOptions options = {});

 protected:
  Executor() = default;

  // Takes the work, to call it once. Throws what submit() shall throw; then the work is as it was.
  virtual void execute(Work& work) = 0;
  // What shutdown() does. Any number of times.
  virtual Future<void> close(ShutdownOptions options) = 0;

 private:
  friend struct detail::ExecutorAccess;

  // `held_by`: the operation that the Runner waits for; null: it does not.
  template <class R, class Call>
  Future<R> start(Call* call, const char* held_by, bool patient) {
    Future<R> future = Call::take_future(call);
    if (held_by != nullptr) call->hold(detail::OutsideWork(held_by));
    hand_over(*call, patient);
    return future;
  }
  template <class Fn, class... Args>
  auto start_function(const char* held_by, bool patient, Fn fn, Args... args) {
    detail::check_submitted<Fn, Args...>();
    using R = detail::CallResult<Fn, Args...>;
    using Call = detail::FunctionCall<false, R, Fn, Args...>;
    return start<R>(new Call(std::move(fn), detail::KeptArgument<Args>(std::move(args))...),
                    held_by, patient);
  }
  template <auto fn, class... Args>
  auto start_constant(const char* held_by, bool patient, Args... args) {
    using Fn = detail::Constant<fn>;
    detail::check_submitted<Fn, Args...>();
    using R = detail::CallResult<Fn, Args...>;
    using Call = detail::ConstantCall<fn, R, Fn, Args...>;
    return start<R>(new Call(Fn(), detail::KeptArgument<Args>(std::move(args))...), held_by,
                    patient);
  }
  void hand_over(detail::ExecutorCall& call, bool patient);
  [[nodiscard]] detail::SimulatedCalls& simulated();

  detail::Atomic<detail::SimulatedCalls*> simulated_{nullptr};  // owned; made at first use
};

// Anything that takes functions and can be shut down, derived from Executor or not.
template <class E>
concept ExecutorLike = requires(E& executor, int (*fn)(int)) {
  executor.submit(fn, 1);
  executor.shutdown();
};

namespace detail {

struct ExecutorAccess {
  // For who awaits the result: the Runner does too, and a full queue makes it wait.
  template <class Fn, class... Args>
  static auto run(Executor& executor, const char* held_by, Fn fn, Args... args) {
    return executor.start_function(held_by, true, std::move(fn), std::move(args)...);
  }
  template <auto fn, class... Args>
  static auto run_constant(Executor& executor, const char* held_by, Args... args) {
    return executor.start_constant<fn>(held_by, true, std::move(args)...);
  }
  static void hand_over(Executor& executor, ExecutorCall& call) { executor.hand_over(call, true); }
};

}  // namespace detail

}  // namespace coil

#include <coil/detail/executor_map.hpp>
