// Takes the thread that makes the loops to where each one will run, so that the pages that it
// touches first, and those that the kernel takes for a ring, lie on the loop's NUMA node.
//
// Invariant: with `wanted` false no system call is made; else the thread goes once per node, and
// has its own processors back in the end.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <vector>

#include "topology.hpp"

namespace coil::detail {

class NodeVisit {
 public:
  NodeVisit(const std::vector<Processor>& places, bool wanted) noexcept : places_(places) {
    active_ = wanted && pthread_getaffinity_np(pthread_self(), sizeof before_, &before_) == 0;
  }
  NodeVisit(const NodeVisit&) = delete;
  NodeVisit& operator=(const NodeVisit&) = delete;
  ~NodeVisit() {
    if (at_ != nullptr) pthread_setaffinity_np(pthread_self(), sizeof before_, &before_);
  }

  void of_loop(unsigned loop) noexcept {
    const Processor& place = places_[loop];
    if (!active_ || (at_ != nullptr && at_->node == place.node)) return;
    if (bind_thread(place.os_index)) at_ = &place;
  }

 private:
  const std::vector<Processor>& places_;
  const Processor* at_ = nullptr;
  bool active_ = false;
  cpu_set_t before_;
};

}  // namespace coil::detail
