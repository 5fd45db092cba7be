// Depth-first search without a tree: the path is the state.
#include "model/schedule.hpp"

#include <cstdlib>
#include <stdexcept>

#include "model/arena.hpp"
#include "model/explorer.hpp"

namespace model {

void Schedule::clear() {
  path_.clear();
  depth_ = 0;
}

unsigned Schedule::choose(unsigned count) {
  if (count == 1) return 0;
  if (depth_ == path_.size()) {
    arena::Pause pause;
    path_.push_back({0, static_cast<std::uint16_t>(count)});
  }
  Choice& choice = path_[depth_++];
  if (choice.count == 0) choice.count = static_cast<std::uint16_t>(count);
  if (choice.count != count || choice.taken >= count) {
    fail("the schedule does not fit: the model depends on something the explorer does not control");
  }
  return choice.taken;
}

bool Schedule::advance() {
  path_.resize(depth_);
  while (!path_.empty()) {
    Choice& last = path_.back();
    if (last.taken + 1 < last.count) {
      ++last.taken;
      return true;
    }
    path_.pop_back();
  }
  return false;
}

std::string Schedule::text() const {
  std::string text;
  unsigned zeros = 0;
  for (std::size_t i = 0; i < depth_; ++i) {
    if (path_[i].taken == 0) {
      ++zeros;
      continue;
    }
    if (!text.empty()) text += ',';
    text += std::to_string(zeros) + ':' + std::to_string(path_[i].taken);
    zeros = 0;
  }
  return text;
}

void Schedule::parse(const std::string& text) {
  clear();
  const char* at = text.c_str();
  while (*at != '\0') {
    char* end = nullptr;
    const unsigned long zeros = std::strtoul(at, &end, 10);
    if (end == at || *end != ':') throw std::invalid_argument("not a schedule: " + text);
    at = end + 1;
    const unsigned long taken = std::strtoul(at, &end, 10);
    if (end == at || (*end != ',' && *end != '\0') || zeros > 100'000 || taken > 60'000) {
      throw std::invalid_argument("not a schedule: " + text);
    }
    path_.insert(path_.end(), zeros, Choice{0, 0});
    path_.push_back({static_cast<std::uint16_t>(taken), 0});
    at = *end == ',' ? end + 1 : end;
  }
}

}  // namespace model
