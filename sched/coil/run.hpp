// run (asyncio.run): loops on every core, one coroutine, and everything cleaned up after it.
#pragma once

#include <coil/runner.hpp>
#include <utility>

namespace coil {

// Runs `main` on a Runner of its own; see Runner::run.
template <Awaitable A>
AwaitResult<A> run(A main, RunOptions options = {}) {
  Runner runner(std::move(options));
  return runner.run(std::move(main));
}
// The same for a function that returns it, which is kept alive with its arguments.
template <class Fn>
  requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&>>)
auto run(Fn fn, RunOptions options) {
  return Runner(std::move(options)).run(std::move(fn));
}
template <class Fn, class... Args>
  requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&, Args && ...>>)
auto run(Fn fn, Args... args) {
  return Runner().run(std::move(fn), std::move(args)...);
}

}  // namespace coil
