// Tells threads apart for good: a std::thread::id is given to the next thread once its own has
// ended, a number never is.
#pragma once

#include <cstdint>

namespace coil::detail {

// Not 0. Never inline: see frame_allocator.hpp.
[[nodiscard]] std::uint64_t this_thread_number() noexcept;

}  // namespace coil::detail
