// What a simulated loop does for an operation: the system call, on the spot.
#pragma once

#include <coil/detail/operation.hpp>
#include <cstdint>

namespace coil::detail {

// As the kernel's completion: >= 0 or -errno. Real files, which do not wait for anybody; -ENOTSUP
// for sockets, and for FIFOs: they would wait for what the simulation does not run meanwhile.
[[nodiscard]] std::int32_t perform_here(const Operation& operation) noexcept;

}  // namespace coil::detail
