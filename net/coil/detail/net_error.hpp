// How a failed operation of the kernel is told: a system_error with the operation and its
// operands in the text.
#pragma once

#include <coil/address.hpp>
#include <string>

namespace coil::detail {

// `error` is a positive errno; the text reads "<what>: <the error's name>".
[[noreturn]] void throw_net_error(int error, const std::string& what);

// Own and other end of a connected socket; empty if the kernel does not know (any more).
[[nodiscard]] Address local_address_of(int fd) noexcept;
[[nodiscard]] Address remote_address_of(int fd) noexcept;

}  // namespace coil::detail
