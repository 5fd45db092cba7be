#include <algorithm>
#include <coil/detail/wait_handles.hpp>
#include <functional>
#include <stdexcept>
#include <string>

namespace coil::detail {

std::vector<std::size_t> first_of_each(const std::vector<FutureBase*>& states,
                                       const char* operation) {
  if (states.empty())
    throw std::invalid_argument(std::string(operation) + ": there is nothing to wait for");
  struct Entry {
    FutureBase* state;
    std::size_t position;
  };
  std::vector<Entry> entries;
  entries.reserve(states.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i] == nullptr)
      throw std::invalid_argument(std::string(operation) + ": handle " + std::to_string(i) +
                                  " is empty (it was never set, or was moved from)");
    entries.push_back({states[i], i});
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return a.state != b.state ? std::less<>()(a.state, b.state) : a.position < b.position;
  });
  std::vector<std::size_t> kept;
  kept.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (i == 0 || entries[i].state != entries[i - 1].state) kept.push_back(entries[i].position);
  std::ranges::sort(kept);
  return kept;
}

}  // namespace coil::detail
