// Breaking the code under test, mostly from outside: an operation gets a weaker order, is left out,
// changes places with the next one, or loses its atomicity. For what cannot be said so, the code
// carries a COIL_MUTATION hook.
//
// Invariant: a change that was never met counts as a mistake of whoever asked for it, so a
// mutation cannot quietly stop testing anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/cell.hpp"

namespace model {

enum class Fault : std::uint8_t { None, Weaken, Skip, Late, Split, Blind, Ignore, Hook };

struct Change {
  Fault fault = Fault::None;
  std::string object;         // the atomic as name()d, or as the source writes it; or the hook
  Op op = Op::Load;           // ... this operation on it
  Order to = Order::relaxed;  // ... Weaken: is done with this order
  std::string in;             // ... in this function; empty is any
  unsigned line = 0;          // ... in this line; 0 is any
  std::uint64_t bits = 0;     // ... Ignore: these

  std::string text() const;
};

// weaken("bottom_", Op::Store, std::memory_order_release, "pop")
Change weaken(std::string object, Op op, Order to, std::string in = "");
// A store, or the writing half of an rmw or compare-exchange, does not happen.
Change skip(std::string object, Op op, std::string in = "");
// A store happens after the thread's next operation: the two steps are swapped.
Change late(std::string object, std::string in = "");
// An rmw or compare-exchange becomes a load and a store.
Change split(std::string object, Op op, std::string in = "");
// A load sees the atomic's first value, whatever came since: nobody looks any more.
Change blind(std::string object, std::string in = "");
// An operation knows nothing of these bits of a state word: it sees them as 0, and a
// compare-exchange leaves them as they are. The check for them is gone.
Change ignore(std::string object, Op op, std::uint64_t bits, std::string in = "");
// Turns COIL_MUTATION("name") on.
Change hook(std::string name);

// Applies to every exploration from here until it goes out of scope.
class Broken {
 public:
  explicit Broken(std::vector<Change> changes);
  ~Broken();
  Broken(const Broken&) = delete;
  Broken& operator=(const Broken&) = delete;

  // The first change that made no difference so far; empty if there is none.
  std::string unmet() const;
};

// Every kind of operation that ran since watch(true): what a survey tries to weaken.
struct Seen {
  Op op;
  Order order;
  std::string object;
  Site site;
};
void watch(bool on);
std::vector<Seen> seen();

const char* order_text(Order order);
const char* op_text(Op op);

// For the machine: what is to become of this operation.
struct Effect {
  Order order;
  Fault fault = Fault::None;
  std::uint64_t ignored = 0;
};
Effect effect_on(Op op, Order order, const char* name, const Site& site);

// What the source says before ".load": "bottom_", "slots_[i & mask_]".
const std::string& object_text(const Site& site);

}  // namespace model
