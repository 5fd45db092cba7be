// The story of one execution, a line for each step.
#pragma once

#include <string>
#include <vector>

#include "model/explorer.hpp"

namespace model {

class Trace {
 public:
  void clear() { lines_.clear(); }
  void add(unsigned step, const std::string& thread, const std::string& text);
  void add(unsigned step, const std::string& thread, const std::string& text, const Site& site);
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

// "deque.hpp:88"
std::string short_site(const Site& site);

}  // namespace model
