// A memory barrier in all threads of the process at once, at the expense of the one that asks.
//
// What every other thread did before it happens before what the caller does after it, and what the
// caller did before it before what they do after it; so they need no fence of their own where they
// would need one only for the caller's sake.
#pragma once

#if defined(COIL_MODEL)

#include <model/barrier.hpp>

namespace coil::detail {
inline void process_barrier() { ::model::process_barrier(); }
}  // namespace coil::detail

#else

namespace coil::detail {

// Some microseconds, in which each processor that runs one of our threads is interrupted.
void process_barrier() noexcept;
// Whether the kernel lets us (membarrier(2)). Asked once, before the first barrier.
[[nodiscard]] bool process_barrier_works() noexcept;

}  // namespace coil::detail

#endif
