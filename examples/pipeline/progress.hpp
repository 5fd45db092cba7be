// A line that says how far it is: a bar on a terminal, else a line every few seconds.
#pragma once

#include <coil/coil.hpp>
#include <cstddef>

#include "totals.hpp"

namespace pipeline {

// Shows it until it is cancelled.
coil::Coro<> show_progress(const Totals& totals, std::size_t files);

}  // namespace pipeline
