// A Runner's options after the environment and the machine have been asked.
#pragma once

#include <coil/run_options.hpp>
#include <cstdint>
#include <string>

#include "backend/backend.hpp"

namespace coil::detail {

struct Settings {
  unsigned loops = 1;
  bool pin = true;
  bool debug = false;
  bool steal = true;
  bool sigterm = false;
  coil::Backend backend = coil::Backend::automatic;
  std::uint64_t sim_seed = 0;
  BackendLimits limits;
  std::string name = "coil";
};

// Throws std::invalid_argument for a value that means nothing, naming it and what would.
[[nodiscard]] Settings resolve(const RunOptions& options);

}  // namespace coil::detail
