// Makes the loops' backends: what the settings ask for, or the best that this machine allows.
#pragma once

#include <memory>
#include <vector>

#include "../settings.hpp"
#include "backend.hpp"

namespace coil::detail {

// One per loop. Throws std::system_error that says what was refused and what to do.
[[nodiscard]] std::vector<std::unique_ptr<Backend>> make_backends(const Settings& settings);

}  // namespace coil::detail
