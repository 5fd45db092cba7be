// Writing to a pipe whose reader may have gone.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>

namespace coil::detail {

// write(2), but where that would raise SIGPIPE (and by default end the program) there is EPIPE
// alone; send(2) has MSG_NOSIGNAL for that. Four system calls instead of one.
[[nodiscard]] ssize_t write_without_signal(int fd, std::span<const std::byte> data) noexcept;

}  // namespace coil::detail
