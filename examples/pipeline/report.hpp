// The table at the end.
#pragma once

#include <cstddef>
#include <string>

#include "ledger.hpp"
#include "totals.hpp"

namespace pipeline {

std::string make_report(const Totals& totals, const Sums& sums, double seconds);

// What is in the table is what went in: empty, or what differs.
std::string what_was_lost(const Totals& totals, const Sums& sums, std::size_t files);

}  // namespace pipeline
