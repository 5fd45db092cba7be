// Kernel numbers that are younger than the headers of liburing 2.3.
//
// Invariant: every user of a name from here asks the kernel first and has a way without it.
#pragma once

#include <liburing.h>

#include <cstdint>

namespace coil::detail::uring::newer {

inline constexpr unsigned setup_no_sqarray = 1U << 16;   // 6.6
inline constexpr unsigned register_send_msg_ring = 31;   // 6.13: MSG_RING without an own ring
inline constexpr unsigned feature_no_iowait = 1U << 17;  // 6.15
inline constexpr unsigned enter_no_iowait = 1U << 7;     // 6.15

}  // namespace coil::detail::uring::newer
