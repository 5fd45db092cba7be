// What closes a Runner while its loops still run: refuses newcomers, runs what was posted, cancels
// and awaits every task that came after the last run(). Then the loops can be stopped.
#pragma once

namespace coil::detail {

class WorkerPool;

// Throws std::runtime_error on a loop of this pool; and, if tasks are left, on another thread than
// the one that has run it.
void wind_up(WorkerPool& pool);

}  // namespace coil::detail
