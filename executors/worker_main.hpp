// A worker process of a ProcessPoolExecutor: what it does in place of main().
#pragma once

namespace coil::detail {

inline constexpr int worker_socket = 3;  // descriptor
// Set in a worker's environment, and taken out before anything of the program could see it: the
// pool's process.
inline constexpr const char* worker_variable = "COIL_WORKER";

// Serves the calls that come over the socket until that ends.
[[noreturn]] void run_worker(long parent) noexcept;

// This process is to be a worker, and its global objects are being initialised.
[[nodiscard]] bool worker_is_starting() noexcept;

// The hook that calls it before main() is linked wherever this is used.
void link_worker_hook() noexcept;

}  // namespace coil::detail
