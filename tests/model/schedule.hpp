// The tree of choices, walked depth first: which thread goes on, which value a load sees.
//
// Invariant: an execution is determined by its path. The path of the next execution shares the
// longest possible beginning with the last one and takes the next branch there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace model {

class Schedule {
 public:
  // Starts a walk from the root.
  void clear();
  // Starts an execution: follow the path, then take the first branch everywhere.
  void rewind() { depth_ = 0; }
  // 0 <= result < count.
  unsigned choose(unsigned count);
  // Moves to the next unexplored path; false when there is none.
  [[nodiscard]] bool advance();

  // "12:1,3:2": after 12 first branches the second one, after 3 more first ones the third.
  std::string text() const;
  // Throws std::invalid_argument if it is no such text.
  void parse(const std::string& text);

 private:
  struct Choice {
    std::uint16_t taken;
    std::uint16_t count;  // 0: not known yet, the path came from a text
  };

  std::vector<Choice> path_;
  std::size_t depth_ = 0;
};

}  // namespace model
