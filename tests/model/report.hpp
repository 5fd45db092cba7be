// What the runner is asked for, and the running of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace model {

struct Request {
  bool list = false;
  bool trace = false;
  bool survey = false;
  std::optional<unsigned> preemptions = {};
  std::string replay = {};
  std::vector<std::string> filters = {};  // none: everything
};

// Prints; returns the exit code.
int run(const Request& request);
int survey(const Request& request);

}  // namespace model
