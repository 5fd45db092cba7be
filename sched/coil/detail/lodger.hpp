// What a room to the right keeps with a Runner: the default executor.
//
// Invariant: made at most once; it goes when the Runner has closed and nothing goes on outside
// (OutsideWork) any more.
#pragma once

namespace coil {
class Loop;
}

namespace coil::detail {

class Lodger {
 public:
  Lodger(const Lodger&) = delete;
  Lodger& operator=(const Lodger&) = delete;
  virtual ~Lodger() = default;

 protected:
  Lodger() = default;
};

using MakeLodger = Lodger* (*)();

// Of the loop's Runner. Any thread. Throws LoopClosed once that is closed.
[[nodiscard]] Lodger& lodger_of(Loop& loop, MakeLodger make);

}  // namespace coil::detail
