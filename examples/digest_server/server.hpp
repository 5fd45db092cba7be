// The server: one task for each connection reads files, one task for each file computes its
// answer. All may run on any loop; they are born on the loop of their connection, and it is for
// work stealing to spread them.
//
// Invariant: the files that a connection has sent and not got answers for take a bounded amount of
// memory, whatever its client does.
#pragma once

#include <coil/coil.hpp>
#include <coil/net.hpp>

namespace demo {

// The handler for coil::start_server.
[[nodiscard]] coil::Coro<> serve_files(coil::StreamReader reader, coil::StreamWriter writer);

}  // namespace demo
