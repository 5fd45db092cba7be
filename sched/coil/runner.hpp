// Runner: N loops, and what runs on them (asyncio.Runner).
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/box.hpp>
#include <coil/loop.hpp>
#include <coil/metrics.hpp>
#include <coil/run_options.hpp>
#include <coil/task.hpp>
#include <span>
#include <stdexcept>
#include <utility>

namespace coil {

namespace detail {
class WorkerPool;
}  // namespace detail

// Starts its loops when constructed and stops them in close(). Reusable: run() any number of
// times, one after the other. Not thread-safe, except loops() and get_loop().
class Runner {
 public:
  // Throws std::invalid_argument for impossible options, std::system_error if the kernel refuses
  // what a loop needs.
  explicit Runner(RunOptions options = {});
  ~Runner();  // closes
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Runs the coroutine as a task that starts on loop 0, driven by this thread, then gives its
  // result or throws its exception. Tasks that are left wait for the next run(), or for close() to
  // cancel them; those on other loops than 0 go on running.
  // SIGINT cancels it, and run() throws KeyboardInterrupt; a second SIGINT ends the program. So
  // does SIGTERM, with TerminationRequest, where RunOptions::sigterm asks for it.
  // Throws std::runtime_error on a thread that runs a loop already, LoopClosed after close().
  template <Awaitable A>
  AwaitResult<A> run(A main) {
    return run_main(detail::as_coro(std::move(main)), false);
  }
  template <class Fn, class... Args>
    requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&, Args && ...>>)
  auto run(Fn fn, Args... args) {
    return run(detail::as_coro(std::move(fn), std::move(args)...));
  }

  [[nodiscard]] std::span<Loop* const> loops() const noexcept { return loops_; }
  [[nodiscard]] Loop& get_loop() const noexcept { return *loops_.front(); }
  [[nodiscard]] Metrics metrics() const;
  // Runs what was posted, cancels and awaits the tasks that came since the last run(), stops the
  // loops. Called twice it does nothing. Throws std::runtime_error on a loop of this Runner.
  void close();

 private:
  template <Awaitable A>
  friend AwaitResult<A> run(A main, RunOptions options);

  template <class T>
  T run_main(Coro<T> main, bool cancel_rest) {
    check_can_run();
    auto task = start_main(std::move(main));
    finish_main(task, cancel_rest);
    if constexpr (!std::is_void_v<T>) return detail::FutureAccess::holder(task).slot().take();
  }
  template <class T>
  Task<T> start_main(Coro<T> main) {
    if (!main) throw std::invalid_argument("run: the coroutine is empty or was moved from");
    auto* impl = new detail::TaskImpl<T>(std::move(main), std::source_location::current());
    Task<T> task(impl);
    adopt_main(*impl);
    return task;
  }
  void check_can_run() const;
  void adopt_main(detail::TaskBase& task);
  void finish_main(const TaskRef& task, bool cancel_rest);  // throws what the main task threw

  detail::Box<detail::WorkerPool> pool_;
  std::vector<Loop*> loops_;
};

}  // namespace coil
