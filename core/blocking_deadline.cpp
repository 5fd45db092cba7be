// How long a thread that blocks on a future waits: in real time.
#include <coil/future.hpp>

namespace coil::detail {

// Threads that block do so in real time, also where the loops' clock is virtual.
TimePoint blocking_deadline(Duration limit) noexcept { return add_saturated(Clock::now(), limit); }

}  // namespace coil::detail
