// Makes the loops' backends: what the settings ask for, or the best that this machine allows.
#pragma once

#include <memory>
#include <vector>

#include "../node_visit.hpp"
#include "../settings.hpp"
#include "backend.hpp"

namespace coil::detail {

// One per loop, made where `visit` goes for it. Throws std::system_error that says what was refused
// and what to do.
[[nodiscard]] std::vector<std::unique_ptr<Backend>> make_backends(const Settings& settings,
                                                                  NodeVisit& visit);

}  // namespace coil::detail
