#include "choose.hpp"

#include <stdexcept>

#include "sim/sim_backend.hpp"

namespace coil::detail {

std::vector<std::unique_ptr<Backend>> make_backends(const Settings& settings, NodeVisit& visit) {
  std::vector<std::unique_ptr<Backend>> backends;
  backends.reserve(settings.loops);
  if (settings.backend == coil::Backend::epoll)
    throw std::invalid_argument(
        "COIL_BACKEND=epoll: this build has no epoll backend; use io_uring");
  if (settings.backend == coil::Backend::sim) {
    const auto clock = std::make_shared<SimClock>();
    for (unsigned i = 0; i < settings.loops; ++i)
      backends.push_back(std::make_unique<SimBackend>(clock));
    return backends;
  }
  for (unsigned i = 0; i < settings.loops; ++i) {
    visit.of_loop(i);
    backends.push_back(make_io_uring_backend(settings.limits));
  }
  return backends;
}

}  // namespace coil::detail
