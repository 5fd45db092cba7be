// The table at the end.
#pragma once

#include <coil/metrics.hpp>
#include <string>
#include <vector>

#include "phase.hpp"

namespace demo {

// The share of the time in which the loop neither slept nor looked for work.
[[nodiscard]] double busy_share(const coil::LoopMetrics& loop);

// One column for each phase, and the ratio of the first two.
[[nodiscard]] std::string make_report(const std::vector<PhaseResult>& phases);

[[nodiscard]] bool has_problems(const PhaseResult& phase);

}  // namespace demo
