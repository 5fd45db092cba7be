// Debug mode: names whoever holds a loop for too long (Loop::slow_callback_duration).
#pragma once

#include <coil/time.hpp>

namespace coil::detail {

class TaskBase;
class WorkerPool;

void report_slow_callback(WorkerPool& pool, TimePoint begin) noexcept;
void report_slow_task(WorkerPool& pool, TaskBase& task, TimePoint begin) noexcept;

}  // namespace coil::detail
