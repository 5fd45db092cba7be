// The way that one cancel takes from task to awaited task, so that tasks which await each other in
// a circle are found out.
//
// A chain is a run of tasks each of which awaits the next; a gather ends one and begins one for
// each child. Invariant: a task that is met again on its own way (in this chain, or in one that
// this one came from) closes a circle; one met elsewhere is only awaited by two.
#pragma once

#include <coil/detail/task_base.hpp>
#include <cstddef>
#include <unordered_map>
#include <vector>

namespace coil::detail {

class CancelPath {
 public:
  explicit CancelPath(const TaskBase& origin) : came_from_{no_chain} { add(origin); }

  // The chain that tasks are added to from now on; `from`: where its first one is awaited.
  void begin_chain(std::size_t from) {
    chain_ = came_from_.size();
    came_from_.push_back(from);
  }
  [[nodiscard]] std::size_t chain() const noexcept { return chain_; }

  // False: the task closes a circle.
  [[nodiscard]] bool go_on_to(const TaskBase& task) {
    if (index_.empty()) {
      for (const Entry& entry : entries_)
        if (entry.task == &task && leads_here(entry.chain)) return false;
    } else {
      const auto [first, last] = index_.equal_range(&task);
      for (auto it = first; it != last; ++it)
        if (leads_here(it->second)) return false;
    }
    add(task);
    return true;
  }

 private:
  struct Entry {
    const TaskBase* task;
    std::size_t chain;
  };
  static constexpr std::size_t no_chain = static_cast<std::size_t>(-1);
  static constexpr std::size_t few = 32;  // looked through one by one

  [[nodiscard]] bool leads_here(std::size_t chain) const noexcept {
    for (std::size_t at = chain_; at != no_chain; at = came_from_[at])
      if (at == chain) return true;
    return false;
  }
  void add(const TaskBase& task) {
    if (index_.empty() && entries_.size() < few) {
      entries_.push_back({&task, chain_});
      return;
    }
    for (const Entry& entry : entries_) index_.emplace(entry.task, entry.chain);
    entries_.clear();
    index_.emplace(&task, chain_);
  }

  std::vector<Entry> entries_;
  std::unordered_multimap<const TaskBase*, std::size_t> index_;
  std::vector<std::size_t> came_from_;
  std::size_t chain_ = 0;
};

}  // namespace coil::detail
