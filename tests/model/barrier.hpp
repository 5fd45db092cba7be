// The stand-in for sched/process_barrier.hpp.
#pragma once

#include "model/explorer.hpp"

namespace model {

void process_barrier(Site site = Site::current());

}  // namespace model
