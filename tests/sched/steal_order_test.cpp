// Whom a loop steals from first, on machines of many shapes.
#include "../../sched/steal_order.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "../../sched/topology.hpp"

namespace {

using coil::detail::distance;
using coil::detail::Random;
using coil::detail::StealOrder;
using coil::detail::Topology;

using Numbers = std::vector<unsigned>;

// Two sockets of four nodes each: 12 within a socket, 32 across.
Numbers two_sockets_of_four() {
  Numbers values;
  for (unsigned from = 0; from < 8; ++from)
    for (unsigned to = 0; to < 8; ++to)
      values.push_back(from == to ? 10 : from / 4 == to / 4 ? 12 : 32);
  return values;
}

// Four sockets in a ring: a neighbour's memory is nearer than the one across.
const Numbers ring_of_four = {10, 16, 22, 16,  //
                              16, 10, 16, 22,  //
                              22, 16, 10, 16,  //
                              16, 22, 16, 10};

struct Machine {
  const char* description;
  Numbers allowed;
  Numbers latencies;
  Numbers rings;  // how many loops are in each ring around loop 0
};

const std::vector<Machine>& machines() {
  static const std::vector<Machine> all = {
      {"core:1 pu:1", {}, {}, {}},
      {"core:4 pu:1", {}, {}, {3}},
      {"numa:1 l3:2 core:4 pu:1", {}, {}, {3, 4}},
      {"numa:2 l3:1 core:4 pu:1", {}, {10, 21, 21, 10}, {3, 4}},
      {"numa:2 l3:2 core:2 pu:2", {}, {}, {3, 4, 8}},
      {"numa:8 l3:2 core:8 pu:1", {}, two_sockets_of_four(), {7, 8, 48, 64}},
      {"numa:8 core:16 pu:1", {}, {}, {15, 112}},
      {"numa:4 core:2 pu:2", {}, ring_of_four, {3, 8, 4}},
      // The neighbour at 16 lost all of its processors, the others some.
      {"numa:4 core:4 pu:1", {0, 3, 8, 13, 14}, ring_of_four, {1, 2, 1}},
  };
  return all;
}

TEST(steal_order, has_a_ring_for_each_distance) {
  for (const Machine& machine : machines()) {
    SCOPED_TRACE(machine.description);
    const Topology topology =
        Topology::synthetic(machine.description, machine.allowed, machine.latencies);
    const StealOrder order(topology.processors, topology.distances, 0);
    Numbers sizes;
    for (const auto& ring : order.rings()) sizes.push_back(static_cast<unsigned>(ring.size()));
    EXPECT_EQ(sizes, machine.rings);
  }
}

TEST(steal_order, names_every_other_loop_once_and_the_near_ones_first) {
  for (const Machine& machine : machines()) {
    SCOPED_TRACE(machine.description);
    const Topology topology =
        Topology::synthetic(machine.description, machine.allowed, machine.latencies);
    const auto& places = topology.processors;
    for (unsigned self = 0; self < places.size(); ++self) {
      const StealOrder order(places, topology.distances, self);
      Random random(self);
      std::set<unsigned> seen;
      unsigned farthest = 0;
      EXPECT_FALSE(order.round(random, [&](unsigned victim) {
        EXPECT_NE(victim, self);
        EXPECT_TRUE(seen.insert(victim).second);
        const unsigned d = distance(places[self], places[victim], topology.distances);
        EXPECT_GE(d, farthest);
        farthest = d;
        return false;
      }));
      EXPECT_EQ(seen.size(), places.size() - 1);
    }
  }
}

// Each node's loop, by the order in which a loop of `self` asks it.
Numbers order_of_nodes(const Topology& topology, unsigned self) {
  const StealOrder order(topology.processors, topology.distances, self);
  Numbers nodes;
  Random random(1);
  order.round(random, [&](unsigned victim) {
    nodes.push_back(topology.processors[victim].node);
    return false;
  });
  return nodes;
}

TEST(steal_order, asks_far_nodes_in_order_of_their_distance) {
  const Topology topology = Topology::synthetic("numa:4 core:1 pu:1", {},  //
                                                {10, 40, 20, 30,           //
                                                 20, 10, 30, 40,           //
                                                 30, 20, 10, 40,           //
                                                 40, 30, 20, 10});
  EXPECT_EQ(order_of_nodes(topology, 0), (Numbers{2, 3, 1}));
  EXPECT_EQ(order_of_nodes(topology, 1), (Numbers{0, 2, 3}));
  EXPECT_EQ(order_of_nodes(topology, 2), (Numbers{1, 0, 3}));
  EXPECT_EQ(order_of_nodes(topology, 3), (Numbers{2, 1, 0}));
}

TEST(steal_order, names_loops_that_share_a_processor) {
  const Topology topology = Topology::synthetic("numa:2 core:1 pu:1");
  const auto places = coil::detail::place_loops(topology.processors, 5);
  const StealOrder order(places, topology.distances, 0);
  ASSERT_EQ(order.rings().size(), 2U);
  EXPECT_EQ(order.rings()[0], (Numbers{2, 4}));
  EXPECT_EQ(order.rings()[1], (Numbers{1, 3}));
}

TEST(steal_order, starts_at_random_within_a_ring_and_ends_when_something_was_found) {
  const Topology topology = Topology::synthetic("core:8 pu:1");
  const StealOrder order(topology.processors, topology.distances, 0);
  Random random(7);
  std::set<unsigned> first;
  for (int i = 0; i < 200; ++i) {
    int visits = 0;
    EXPECT_TRUE(order.round(random, [&](unsigned victim) {
      first.insert(victim);
      ++visits;
      return true;
    }));
    EXPECT_EQ(visits, 1);
  }
  EXPECT_EQ(first.size(), 7U);
}

}  // namespace
