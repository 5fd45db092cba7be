// The sentence a user reads when the kernel does not give us a ring.
//
// Invariant: it says what was tried, why this kernel most likely refused, and what to do.
#pragma once

#include <string>
#include <string_view>

namespace coil::detail::uring {

// Throws std::system_error of `error` (positive errno): "io_uring: <tried>: <why>: <what to do>".
[[noreturn]] void refuse(int error, std::string_view tried);
// The kernel has a ring, but not what Coil needs of it.
[[noreturn]] void refuse_old_kernel(std::string_view missing);

}  // namespace coil::detail::uring
