// run (asyncio.run): loops on every core, one coroutine, and everything cleaned up after it.
#pragma once

#include <coil/runner.hpp>
#include <utility>

namespace coil {

// Runs `main` on a Runner of its own; see Runner::run. When it has ended, cancels and awaits every
// task that is left, then gives its result or throws its exception.
template <Awaitable A>
AwaitResult<A> run(A main, RunOptions options) {
  Runner runner(std::move(options));
  return runner.run_main(detail::as_coro(std::move(main)), true);
}
template <Awaitable A>
AwaitResult<A> run(A main) {
  return run(std::move(main), RunOptions());
}
// The same for a function that returns it, which is kept alive with its arguments.
template <class Fn>
  requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&>>)
auto run(Fn fn, RunOptions options) {
  return run(detail::as_coro(std::move(fn)), std::move(options));
}
template <class Fn, class... Args>
  requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&, Args && ...>>)
auto run(Fn fn, Args... args) {
  return run(detail::as_coro(std::move(fn), std::move(args)...));
}

}  // namespace coil
