// How the stand-ins for atomic and plain data reach the explorer, without their types.
//
// Invariant: an object made while no execution runs (a global) stays unmodelled for ever, and
// behaves as a plain variable; every other one belongs to the execution that made it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "model/explorer.hpp"
#include "model/view.hpp"

namespace model {

using Order = std::memory_order;

// Any value an atomic can hold, padded with zeros.
struct Word {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Word&) const = default;
};

template <class T>
Word pack(const T& value) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(Word));
  Word word;
  std::memcpy(static_cast<void*>(&word), &value, sizeof(T));
  return word;
}

template <class T>
T unpack(const Word& word) {
  T value;
  std::memcpy(static_cast<void*>(&value), &word, sizeof(T));
  return value;
}

// Which execution runs now; 0 is none.
inline constinit std::uint32_t execution_now = 0;
// What a destroyed object carries instead: also what freed memory is filled with.
inline constexpr std::uint32_t execution_dead = 0xdddddddd;

struct Cell {
  constexpr Cell() {
    if (!std::is_constant_evaluated() && execution_now != 0) born();
  }
  constexpr ~Cell() {
    if (!std::is_constant_evaluated() && execution != 0) destroyed();
  }
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  bool modelled() const { return execution != 0; }

  std::uint32_t execution = 0;
  std::uint16_t location = 0;  // one more than its number, once it was touched
  Stamp born_at = 0;
  std::uint8_t born_in = 0;

 private:
  void born();
  void destroyed();
};

using Printer = std::string (*)(const Word&);

struct Access {
  Cell& cell;
  Word initial;
  Site site;
  Printer print;
  const char* what;     // the operation as it is called: "store", "fetch_add"
  bool kernel = false;  // the kernel's own: no mutation breaks it
};

Word atomic_load(const Access& access, Order order);
void atomic_store(const Access& access, Order order, const Word& value);
// Reads the newest value; the same thread writes next, with nothing in between. The order comes
// back as it is after weakening.
Word rmw_begin(const Access& access, Order& order);
void rmw_end(const Access& access, Order order, const Word& value);
struct Compared {
  Word seen;
  bool equal;  // then rmw_end() follows
};
Compared cas_begin(const Access& access, Order& success, Order failure, const Word& expected);
// Sleeps until `ready` holds for the newest value. An rmw follows, with nothing in between.
void await_word(const Access& access, bool (*ready)(const Word&));
void name_cell(const Access& access, const char* name);

// Who touched a plain object last.
struct Race {
  constexpr Race() {
    if (!std::is_constant_evaluated() && execution_now != 0) born();
  }
  constexpr ~Race() {
    if (!std::is_constant_evaluated() && execution != 0) destroyed();
  }
  Race(const Race&) : Race() {}
  Race& operator=(const Race&) { return *this; }

  bool modelled() const { return execution != 0; }
  void read(const Site& site);
  void write(const Site& site);

  std::uint32_t execution = 0;
  Stamp written_at = 0;
  std::uint8_t written_in = 0;
  std::array<Stamp, max_threads> read_at{};

 private:
  void born();
  void destroyed();
};

}  // namespace model
