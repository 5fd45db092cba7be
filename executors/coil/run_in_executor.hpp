// run_in_executor: a function that would hold the loop, called by an executor
// (asyncio.loop.run_in_executor).
#pragma once

#include <coil/executor.hpp>
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <type_traits>
#include <utility>

// DRAFT: Loop declares, and this header defines:
//   run_in_executor(E* executor, fn, args...), (nullptr, fn, args...), (fn, args...),
//   run_in_executor<&fn>(E* executor, args...), <&fn>(nullptr, args...); E: a class that is
//   ExecutorLike; null: the Runner's default executor. All give Future<R>, submitted at once.
//   set_default_executor(any owning pointer to an Executor), shutdown_default_executor(timeout).
