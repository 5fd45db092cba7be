// The tree of skynet: every node has ten children, down to `size` leaves, numbered from 0 and
// summed. A size must be a power of ten.
#pragma once

#include <array>
#include <cstdint>

namespace bench {

constexpr long skynet_children = 10;
constexpr long skynet_warm_up = 1'000;

// Tasks: the leaves and all the nodes above them.
constexpr std::int64_t skynet_tasks(long leaves) {
  std::int64_t tasks = 0;
  for (long level = leaves; level > 0; level /= skynet_children) tasks += level;
  return tasks;
}
constexpr std::int64_t skynet_sum(long leaves) { return std::int64_t{leaves} * (leaves - 1) / 2; }

static_assert(skynet_tasks(100) == 111 && skynet_sum(100) == 4950);

}  // namespace bench
