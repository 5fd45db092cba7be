// What the report compares.
#include "parameters.hpp"

namespace steal_policy {
namespace {

// What the product did before it was simulated.
void before(Policy& p) {
  p.ring_victims = Policy::all;
  p.wakes_max = 0;
  p.rounds_per_clock = 16;
}

}  // namespace

std::vector<Policy> policies() {
  std::vector<Policy> all;
  auto add = [&all](const char* name, auto change) {
    Policy policy{.name = name};
    change(policy);
    all.push_back(policy);
  };
  add("**product**", [](Policy&) {});
  add("before", before);
  add("uniform victims", [](Policy& p) { p.victims = Victims::Uniform; });
  add("1 near round first", [](Policy& p) { p.near_rounds = 1; });
  add("2 near rounds first", [](Policy& p) { p.near_rounds = 2; });
  add("4 near rounds first", [](Policy& p) { p.near_rounds = 4; });
  add("all of a ring", [](Policy& p) { p.ring_victims = Policy::all; });
  add("take one", [](Policy& p) { p.share = Share::One; });
  add("half of the forks too", [](Policy& p) { p.share = Share::Half; });
  add("1 searches", [](Policy& p) { p.searchers = Searchers::One; });
  add("a quarter search", [](Policy& p) { p.searchers = Searchers::Quarter; });
  add("all search", [](Policy& p) { p.searchers = Searchers::All; });
  add("wake one by one", [](Policy& p) { p.wakes_max = 0; });
  add("wake 1", [](Policy& p) { p.wakes_max = 1; });
  add("wake 4", [](Policy& p) { p.wakes_max = 4; });
  add("clock each 16 rounds", [](Policy& p) { p.rounds_per_clock = 16; });
  return all;
}

}  // namespace steal_policy
