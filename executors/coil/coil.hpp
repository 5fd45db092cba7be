// Everything of Coil but networking (<coil/net.hpp>).
#pragma once

#include <coil/affinity.hpp>
#include <coil/awaitable.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/context.hpp>
#include <coil/coro.hpp>
#include <coil/exception_context.hpp>
#include <coil/exception_group.hpp>
#include <coil/exceptions.hpp>
#include <coil/future.hpp>
#include <coil/gather.hpp>
#include <coil/handle.hpp>
#include <coil/loop.hpp>
#include <coil/metrics.hpp>
#include <coil/result.hpp>
#include <coil/run.hpp>
#include <coil/run_options.hpp>
#include <coil/runner.hpp>
#include <coil/shield.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/task_ref.hpp>
#include <coil/time.hpp>
#include <coil/timeout.hpp>
