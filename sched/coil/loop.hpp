// Loop: one event loop of a Runner (asyncio's loop object).
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/box.hpp>
#include <coil/detail/unique_function.hpp>
#include <coil/detail/unique_ptr.hpp>
#include <coil/exception_context.hpp>
#include <coil/exceptions.hpp>
#include <coil/future.hpp>
#include <coil/handle.hpp>
#include <coil/metrics.hpp>
#include <coil/task.hpp>
#include <coil/time.hpp>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <type_traits>
#include <utility>

namespace coil {

namespace detail {

class Gate;
class HandDriver;
class Worker;
class WorkerPool;

// What of a descriptor is waited for.
enum class Readiness : std::uint8_t { Readable, Writable };

// A callback that returns what would have to be awaited would do nothing.
template <class Fn>
concept Callback = std::is_invocable_v<Fn&> && !Awaitable<std::invoke_result_t<Fn&>>;

// Held by whoever hands something to a loop: until it goes, the Runner does not close. Throws
// LoopClosed, naming the operation, once it does.
class LoopEntry {
 public:
  LoopEntry(Loop& loop, const char* operation);
  ~LoopEntry();
  LoopEntry(const LoopEntry&) = delete;
  LoopEntry& operator=(const LoopEntry&) = delete;

 private:
  WorkerPool* pool_;  // null: this thread is one of its loops
};

// The same for a new task, which is refused also on one of those loops once it would not be
// awaited.
class TaskEntry : LoopEntry {
 public:
  explicit TaskEntry(Loop& loop);
};

}  // namespace detail

class LoopHandle;

// One loop that belongs to nobody else, for another program's thread (asyncio.new_event_loop): it
// runs while that thread is in run_until_complete() or run_forever(). Nothing is done about SIGINT.
// Throws std::system_error if the kernel refuses what a loop needs.
[[nodiscard]] std::unique_ptr<Loop> new_event_loop();

// Lives as long as its Runner, or is its owner's (new_event_loop). Every member may be called from
// any loop of that Runner (a task may have moved since it took the reference); those named
// _threadsafe, and create_task, from any thread.
class Loop {
 public:
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();  // closes

  // The next five are for a loop of new_event_loop(); of a Runner's they throw std::runtime_error.

  // Runs the loop until the awaitable is done; gives its result or throws its exception. Always on
  // the same thread, which runs no loop then, else std::runtime_error; so if stop() comes first.
  template <Awaitable A>
  AwaitResult<A> run_until_complete(A main) {
    check_can_run("run_until_complete");
    const auto task = create_task(std::move(main));
    run_task(task);
    if constexpr (!std::is_void_v<AwaitResult<A>>)
      return detail::FutureAccess::holder(task).slot().take();
  }
  template <class Fn>
    requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&>>)
  auto run_until_complete(Fn fn) {
    return run_until_complete(detail::as_coro(std::move(fn)));
  }
  // Runs the loop until stop() is called. After a stop() that came before, what is ready runs.
  void run_forever();
  // Ends the run in progress, or else the next one, once what is ready now has run. Any thread;
  // LoopClosed once it is closed.
  void stop();
  // Cancels and awaits the tasks that are left, then gives everything back. Not while it runs, and
  // if tasks are left only on the thread that has run it: std::runtime_error.
  void close();

  // A thread runs it just now.
  [[nodiscard]] bool is_running() const noexcept;
  // Which loop of its Runner this is, from 0.
  [[nodiscard]] unsigned index() const noexcept;
  // The loops' clock; virtual under simulation.
  [[nodiscard]] TimePoint time() const noexcept;
  [[nodiscard]] bool is_closed() const noexcept;
  // It runs under Backend::sim: time() is a virtual clock's.
  [[nodiscard]] bool is_simulated() const noexcept;

  // Calls fn() on this loop, after what is ready already. An exception goes to the exception
  // handler. From a thread that is no loop of this Runner: std::runtime_error, use
  // call_soon_threadsafe; but of new_event_loop()'s also before and between its runs.
  template <class Fn>
  Handle call_soon(Fn fn) {
    return schedule_soon(std::move(fn), false);
  }
  // The same at a time, or after a delay. On another loop's timers if called from there.
  template <class Fn>
  Handle call_later(TimeLimit delay, Fn fn) {
    return schedule_at(delay.deadline(time()), std::move(fn));
  }
  template <class Fn>
  Handle call_at(TimePoint when, Fn fn) {
    return schedule_at(when, std::move(fn));
  }
  // From any thread, also while the loop sleeps; first in first out per calling thread. What was
  // accepted is run, at the latest when the Runner closes; LoopClosed after that.
  template <class Fn>
  Handle call_soon_threadsafe(Fn fn) {
    return schedule_soon(std::move(fn), true);
  }

  // Calls fn() on this loop, as call_soon does, whenever the signal has come, on whichever thread;
  // several may become one call. One handler for each signal and Runner, whichever loop sets it: a
  // second replaces the first. It holds until it is removed or the Runner closes; of two Runners
  // the one that sets it later gets the signal, until it lets go. For SIGINT it takes the place of
  // KeyboardInterrupt. Nothing is blocked, so that threads and children are as ever, and system
  // calls are restarted.
  //
  // Throws std::invalid_argument if there is no such signal, std::system_error if it cannot be
  // handled (SIGKILL, SIGSTOP). Under Backend::sim signals are real: they come when they come, and
  // a simulation in which nothing else can run does not wait for them.
  template <detail::Callback Fn>
  void add_signal_handler(int signal, Fn fn) {
    set_signal_handler(signal, std::move(fn));
  }
  // The signal does what it did before (for SIGINT: cancels main while run() runs). False: there
  // was no handler. One that has come and was not called yet is not called any more.
  bool remove_signal_handler(int signal);

  // Calls fn() on this loop as long as there is something to read from the descriptor (or its end,
  // or an error), once a turn: level-triggered. One callback for each descriptor and Runner: a
  // second replaces the first. It does not keep run() from returning; the Runner's end removes it.
  // Remove it before closing the descriptor, which stays open in the kernel until then.
  //
  // Throws std::system_error: EBADF; EPERM for files and directories, which are always ready;
  // ENOTSUP under Backend::sim. If a descriptor cannot be polled any more, the exception handler is
  // told, and the callback removed.
  template <detail::Callback Fn>
  void add_reader(int fd, Fn fn) {
    watch(fd, detail::Readiness::Readable, std::move(fn));
  }
  // The same as long as something can be written (or the other end has gone).
  template <detail::Callback Fn>
  void add_writer(int fd, Fn fn) {
    watch(fd, detail::Readiness::Writable, std::move(fn));
  }
  // From any loop of the Runner. False: there was none. On the loop that it was added on, it is not
  // called any more from then on, also if the descriptor was ready already; elsewhere a call may be
  // under way.
  bool remove_reader(int fd) { return unwatch(fd, detail::Readiness::Readable); }
  bool remove_writer(int fd) { return unwatch(fd, detail::Readiness::Writable); }

  // A task pinned to this loop. From any thread. LoopClosed once the Runner is closed.
  template <Awaitable A>
  Task<detail::AsCoroResult<A>> create_task(
      A awaitable, TaskOptions options = {},
      std::source_location origin = std::source_location::current()) {
    const detail::TaskEntry entry(*this);
    options.affinity = Affinity::loop;
    options.eager = false;
    return detail::launch(detail::as_coro(std::move(awaitable)), options, this, nullptr, origin);
  }
  template <class Fn>
    requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&>>)
  auto create_task(Fn fn, TaskOptions options = {},
                   std::source_location origin = std::source_location::current()) {
    return create_task(detail::as_coro(std::move(fn)), options, origin);
  }
  template <class Fn, class... Args>
    requires(sizeof...(Args) > 0 && !Awaitable<Fn> &&
             Awaitable<std::invoke_result_t<Fn&, Args && ...>>)
  auto create_task(Fn fn, Args... args) {
    const detail::TaskEntry entry(*this);
    return detail::launch(detail::as_coro(std::move(fn), std::move(args)...),
                          {.affinity = Affinity::loop}, this, nullptr,
                          std::source_location::current());
  }
  template <class T = void>
  [[nodiscard]] Future<T> create_future() {
    return coil::create_future<T>();
  }

  // The next seven are defined in <coil/run_in_executor.hpp>, which says what they do.
  template <class E, class Fn, class... Args>
    requires std::is_class_v<E>
  auto run_in_executor(E* executor, Fn fn, Args... args);
  template <class Fn, class... Args>
  auto run_in_executor(std::nullptr_t, Fn fn, Args... args);
  template <class Fn, class... Args>
    requires std::is_invocable_v<Fn&, Args&&...>
  auto run_in_executor(Fn fn, Args... args);
  template <auto fn, class E, class... Args>
    requires std::is_class_v<E>
  auto run_in_executor(E* executor, Args... args);
  template <auto fn, class... Args>
  auto run_in_executor(std::nullptr_t, Args... args);
  template <class P>
  void set_default_executor(P executor);
  [[nodiscard]] Coro<> shutdown_default_executor(TimeLimit timeout = {});

  // Of the whole Runner. fn(const ExceptionContext&) is never called concurrently with itself; an
  // empty fn brings the default back, which prints to standard error.
  void set_exception_handler(detail::UniqueFunction<void(const ExceptionContext&)> fn);
  void call_exception_handler(const ExceptionContext& context);
  // Debug mode, of the whole Runner: reports what holds a loop for long, coroutines that were never
  // awaited, sockets that were never closed. From any thread.
  [[nodiscard]] bool get_debug() const noexcept;
  void set_debug(bool on) noexcept;
  // In debug mode, from how long on what holds a loop is reported; 100 ms at first.
  [[nodiscard]] Duration slow_callback_duration() const noexcept;
  template <detail::ChronoDuration D>
  void slow_callback_duration(D limit) {
    set_slow_callback(detail::to_duration(limit));
  }
  template <detail::ChronoDuration D>
  void set_slow_callback_duration(D limit) {
    set_slow_callback(detail::to_duration(limit));
  }

  // For threads that may outlive the loop.
  [[nodiscard]] LoopHandle handle() const;

 private:
  friend class detail::Worker;
  friend class LoopHandle;
  friend std::unique_ptr<Loop> new_event_loop();
  explicit Loop(detail::Worker& worker) noexcept;
  explicit Loop(detail::Box<detail::HandDriver> driver) noexcept;

  [[nodiscard]] detail::HandDriver& by_hand(const char* operation) const;
  void check_can_run(const char* operation) const;
  void run_task(const TaskRef& task);
  void require_inside(const char* operation) const;

  void set_signal_handler(int signal, detail::UniqueFunction<void()> fn);
  void watch(int fd, detail::Readiness what, detail::UniqueFunction<void()> fn);
  bool unwatch(int fd, detail::Readiness what);

  void set_slow_callback(Duration limit) noexcept;
  Handle schedule_soon(detail::UniqueFunction<void()> fn, bool threadsafe);
  Handle schedule_at(TimePoint when, detail::UniqueFunction<void()> fn);

  detail::Worker* worker_;
  detail::Box<detail::HandDriver> driver_;  // of one that belongs to no Runner
};

// What a thread that may outlive a loop keeps of it. Copyable, valid for ever, for any thread;
// every call throws LoopClosed once the loop's Runner closes.
class LoopHandle {
 public:
  LoopHandle(const LoopHandle& other) noexcept;
  LoopHandle& operator=(const LoopHandle& other) noexcept;
  ~LoopHandle();

  // As Loop::call_soon_threadsafe.
  template <class Fn>
  Handle call_soon_threadsafe(Fn fn) const {
    const Entry entry(*this, "call_soon_threadsafe");
    return loop_->call_soon_threadsafe(std::move(fn));
  }
  // As Loop::create_task: a task pinned to the loop, of an awaitable or a function that gives one.
  template <class A, class... Args>
  auto create_task(A awaitable, Args... args) const {
    const Entry entry(*this, "create_task");
    return loop_->create_task(std::move(awaitable), std::move(args)...);
  }
  // The loop is closed or closing.
  [[nodiscard]] bool is_closed() const noexcept;

 private:
  friend class Loop;
  // Keeps the loop there.
  class Entry {
   public:
    Entry(const LoopHandle& handle, const char* operation);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    detail::Gate* gate_;  // null: this thread is one of the Runner's loops
  };
  LoopHandle(Loop& loop, detail::Gate& gate) noexcept;

  Loop* loop_;
  detail::Gate* gate_;  // counted
};

// The loop that runs the caller. Throws NoRunningLoop outside.
[[nodiscard]] Loop& get_running_loop();
[[nodiscard]] Loop* get_running_loop_or_null() noexcept;

// Makes the coroutine a task of `loop`, from any thread (asyncio.run_coroutine_threadsafe). Its
// result comes as a future that threads may block on.
template <Awaitable A>
Future<detail::AsCoroResult<A>> run_coroutine_threadsafe(A awaitable, Loop& loop) {
  return loop.create_task(std::move(awaitable));
}
template <Awaitable A>
Future<detail::AsCoroResult<A>> run_coroutine_threadsafe(A awaitable, const LoopHandle& loop) {
  return loop.create_task(std::move(awaitable));
}
// The same for a function that returns one; function and arguments are kept alive.
template <class Fn>
  requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&>>)
auto run_coroutine_threadsafe(Fn fn, Loop& loop) {
  return run_coroutine_threadsafe(detail::as_coro(std::move(fn)), loop);
}
template <class Fn, class... Args>
  requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&, Args && ...>>)
auto run_coroutine_threadsafe(Loop& loop, Fn fn, Args... args) {
  return run_coroutine_threadsafe(detail::as_coro(std::move(fn), std::move(args)...), loop);
}

}  // namespace coil
