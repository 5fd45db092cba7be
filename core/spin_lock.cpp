#include <sched.h>

#include <coil/detail/spin_lock.hpp>

namespace coil::detail {

void spin_wait_long() noexcept { ::sched_yield(); }

}  // namespace coil::detail
