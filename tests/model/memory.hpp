// The memory: for each location all its values in modification order, and which a thread may read.
//
// A release store keeps the storing thread's view with the value; an acquire load that reads it
// joins that view. A relaxed one keeps or joins nothing. So "may read" is: not older than what the
// thread has read or written there, or knows through such a chain to be overwritten. A store may
// likewise go in front of newer values that its thread knows nothing of, as one that waited in a
// store buffer does, but never between an rmw and the value that rmw read.
// A seq_cst operation moreover reads nothing older than what an earlier seq_cst operation read or
// wrote there, and writes nothing in front of it: the order in which they run is the one total
// order S.
//
// Invariant: every execution this allows, C++20 allows. Not the other way round: a load reads only
// what is already written (no load buffering).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/cell.hpp"
#include "model/view.hpp"

namespace model {

struct Message {
  Word value;
  const Stamp* released = nullptr;  // a view's first slots, in Memory's store
  std::uint16_t released_slots = 0;
  Stamp stamp = 0;     // grows along the modification order, with room in between
  bool glued = false;  // an rmw: nothing may come between it and the one before
};

struct Location {
  std::vector<Message> messages;                     // in modification order
  std::array<Stamp, max_threads> accessed{};         // each thread's clock at its last access
  std::array<Stamp, max_threads> fair{};             // see Memory::catch_up
  std::array<std::uint32_t, max_threads> read_in{};  // the spin turn of each one's last read
  std::array<Stamp, max_threads> read_at{};          // ... and what it saw
  Stamp strong = 0;  // the newest message that a seq_cst operation read or wrote
  const char* name = nullptr;
  Site first_site;

  unsigned newest() const { return static_cast<unsigned>(messages.size() - 1); }
};

constexpr bool acquires(Order order) {
  return order == Order::acquire || order == Order::consume || order == Order::acq_rel ||
         order == Order::seq_cst;
}
constexpr bool releases(Order order) {
  return order == Order::release || order == Order::acq_rel || order == Order::seq_cst;
}

class Memory {
 public:
  Memory();
  void reset();

  unsigned add(const Word& initial, const Site& site);
  Location& operator[](unsigned location) { return locations_[location]; }
  const Location& operator[](unsigned location) const { return locations_[location]; }
  unsigned count() const { return used_; }
  // View slots in use, rounded up for the vector loop.
  unsigned slots() const { return (max_threads + used_ + 7) & ~7U; }

  // Messages are named by their index in the modification order.
  // The oldest one a load may return.
  unsigned oldest(unsigned location, const View& view, unsigned thread, Order order) const;
  void read(unsigned location, View& view, unsigned thread, Order order, unsigned index);
  // Is there a place right behind this message?
  bool open(unsigned location, unsigned index) const;
  // Puts a message there. An rmw goes on with the release sequence of the message it read.
  void write(unsigned location, View& view, unsigned thread, Order order, const Word& value,
             unsigned behind, bool rmw);

  // Notes that a spinning thread has seen this.
  void looked(unsigned location, unsigned thread, std::uint32_t turn, unsigned index);
  // Has it seen anything in this turn that is not the newest?
  bool behind(unsigned thread, std::uint32_t turn) const;
  // After a pause a thread must not be shown again what it has just seen to be too old, or
  // spinning would never end: where it looked in that turn, it sees at least today's newest.
  void catch_up(unsigned thread, std::uint32_t turn);

 private:
  const Stamp* keep(const Stamp* a, const Stamp* b, unsigned b_slots);

  std::vector<Location> locations_;
  unsigned used_ = 0;
  std::vector<Stamp> views_;
  std::size_t views_used_ = 0;
};

}  // namespace model
